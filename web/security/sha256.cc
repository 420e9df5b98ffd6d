#include <squall/web/security/sha256.h>

#include <openssl/evp.h>

#include <stdexcept>

namespace squall::web::detail {

std::array<char, 32> sha256(std::string_view text) {
  std::array<char, 32> digest;
  auto* const bytes = reinterpret_cast<unsigned char*>(digest.data());
  if (::EVP_Digest(text.data(), text.size(), bytes, nullptr, ::EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  return digest;
}

}  // namespace squall::web::detail
