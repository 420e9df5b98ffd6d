#include <squall/web/security/hmac.h>

#include <squall/ioloop/base/ascii.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>
#include <cstddef>
#include <stdexcept>

namespace squall::web::detail {
namespace {

template <std::size_t size>
std::array<char, size> hmac_hex(const EVP_MD* hash, std::string_view secret, std::string_view text) {
  if (secret.size() > INT_MAX) throw std::length_error("a secret is too long");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  const auto key_size = static_cast<int>(secret.size());
  if (!::HMAC(hash, secret.data(), key_size, bytes, text.size(), digest, &length) || 2 * length != size)
    throw std::runtime_error("OpenSSL cannot compute an HMAC");
  std::array<char, size> hex;
  for (std::size_t i = 0; i < length; ++i) {
    hex[2 * i] = kLowerHex[digest[i] >> 4];
    hex[2 * i + 1] = kLowerHex[digest[i] & 15];
  }
  return hex;
}

}  // namespace

std::array<char, 40> hmac_sha1_hex(std::string_view secret, std::string_view text) {
  return hmac_hex<40>(::EVP_sha1(), secret, text);
}

std::array<char, 64> hmac_sha256_hex(std::string_view secret, std::string_view text) {
  return hmac_hex<64>(::EVP_sha256(), secret, text);
}

}  // namespace squall::web::detail
