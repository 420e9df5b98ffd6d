#include "password.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

namespace blog {
namespace {

// `setting` is the salt with the method, or a hash, which begins with them.
std::string hashed(const std::string& password, const std::string& setting) {
  // 32 kB, and zero: crypt_rn() asks for that.
  const auto data = std::make_unique<crypt_data>();
  const char* const hash = ::crypt_rn(password.c_str(), setting.c_str(), data.get(), sizeof(crypt_data));
  if (!hash) throw std::system_error(errno, std::generic_category(), "crypt");
  std::string result = hash;
  ::OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return result;
}

}  // namespace

std::string hash_password(const std::string& password) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
  // The system chooses the cost, and the random bytes.
  if (!::crypt_gensalt_rn("$y$", 0, nullptr, 0, salt.data(), static_cast<int>(salt.size())))
    throw std::system_error(errno, std::generic_category(), "crypt_gensalt");
  return hashed(password, salt.data());
}

bool is_password(const std::string& password, const std::string& hash) {
  const std::string other = hashed(password, hash);
  return other.size() == hash.size() && ::CRYPTO_memcmp(other.data(), hash.data(), hash.size()) == 0;
}

}  // namespace blog
