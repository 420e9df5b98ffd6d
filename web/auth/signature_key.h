#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace squall::web {

// The signatures of ID tokens that are accepted (RFC 7518, 3.1): RSA with PKCS #1 v1.5 and SHA-256, and ECDSA
// with P-256 and SHA-256. `none`, and signatures with a shared secret such as HS256, are not among them.
enum class SignatureAlgorithm : std::uint8_t { rs256, es256 };

// A public key that verifies signatures.
//
// Thread:    any. A copy shares the key.
class SignatureKey {
 public:
  // An RSA key of 2048 to 8192 bits. The numbers are big-endian. nullopt for other numbers.
  static std::optional<SignatureKey> rsa(std::string_view modulus, std::string_view exponent);
  // A point of the curve P-256, with coordinates of 32 bytes. nullopt for other points.
  static std::optional<SignatureKey> p256(std::string_view x, std::string_view y);

  SignatureAlgorithm algorithm() const noexcept { return algorithm_; }
  // Whether `signature`, as JWS has it, is one of the text by this key.
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  SignatureKey(SignatureAlgorithm algorithm, std::shared_ptr<void> key) noexcept
      : algorithm_(algorithm), key_(std::move(key)) {}

  SignatureAlgorithm algorithm_;
  std::shared_ptr<void> key_;  // an EVP_PKEY
};

}  // namespace squall::web
