#include <squall/web/auth/sha256.h>

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace squall::web::detail {

std::string sha256(std::string_view text) {
  std::array<unsigned char, 32> digest;
  if (::EVP_Digest(text.data(), text.size(), digest.data(), nullptr, ::EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace squall::web::detail
