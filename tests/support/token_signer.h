#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace squall::testing {

// A key of a provider of OpenID Connect, which signs ID tokens.
class TokenSigner {
 public:
  enum class Kind { rsa, p256 };
  // A new key. `bits` is the size of an RSA key.
  explicit TokenSigner(Kind kind, std::string id = "key-1", unsigned bits = 2048);

  const std::string& id() const noexcept { return id_; }
  // The public key as a JSON Web Key, and a set of it alone.
  std::string jwk() const;
  std::string jwks() const;
  // The public key as text, as its owner publishes it.
  std::string pem() const;
  // `{"alg":"RS256","kid":"key-1"}`
  std::string header() const;
  // A token with this header and these claims, which are JSON.
  std::string sign(std::string_view claims) const { return sign(header(), claims); }
  std::string sign(std::string_view header, std::string_view claims) const;

 private:
  Kind kind_;
  std::string id_;
  std::shared_ptr<void> key_;
};

// A token that is signed with a secret, by HMAC-SHA256.
std::string hs256_token(std::string_view header, std::string_view claims, std::string_view secret);

}  // namespace squall::testing
