#include "support/token_signer.h"

#include <squall/http/message/base64.h>
#include <squall/iostream/tls/openssl.h>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <utility>

namespace squall::testing {
namespace {

std::string base64url(std::string_view bytes) {
  std::string text = http::base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string number(const BIGNUM* value, std::size_t size) {
  std::string bytes(size, '\0');
  ::BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
  return bytes;
}

std::string key_number(EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* value = nullptr;
  if (::EVP_PKEY_get_bn_param(key, name, &value) != 1) throw std::runtime_error(name);
  std::string bytes = number(value, size > 0 ? size : static_cast<std::size_t>(BN_num_bytes(value)));
  ::BN_free(value);
  return base64url(bytes);
}

// OpenSSL signs in DER, JWS has two numbers of 32 bytes.
std::string from_der(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* const pair = ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string bytes = number(::ECDSA_SIG_get0_r(pair), 32) + number(::ECDSA_SIG_get0_s(pair), 32);
  ::ECDSA_SIG_free(pair);
  return bytes;
}

}  // namespace

TokenSigner::TokenSigner(Kind kind, std::string id, unsigned bits) : kind_(kind), id_(std::move(id)) {
  EVP_PKEY* const key = kind == Kind::rsa ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256");
  if (!key) throw std::runtime_error("OpenSSL makes no key");
  key_ = std::shared_ptr<void>(key, [](void* key) { ::EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); });
}

std::string TokenSigner::jwk() const {
  auto* const key = static_cast<EVP_PKEY*>(key_.get());
  if (kind_ == Kind::rsa)
    return fmt::format(R"({{"kty":"RSA","use":"sig","alg":"RS256","kid":"{}","n":"{}","e":"{}"}})", id_,
                       key_number(key, OSSL_PKEY_PARAM_RSA_N), key_number(key, OSSL_PKEY_PARAM_RSA_E));
  return fmt::format(R"({{"kty":"EC","crv":"P-256","kid":"{}","x":"{}","y":"{}"}})", id_,
                     key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
                     key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
}

std::string TokenSigner::jwks() const { return fmt::format(R"({{"keys":[{}]}})", jwk()); }

std::string TokenSigner::pem() const {
  const openssl::Bio bio(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_PUBKEY(bio.get(), static_cast<EVP_PKEY*>(key_.get()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string TokenSigner::header() const {
  return fmt::format(R"({{"alg":"{}","kid":"{}"}})", kind_ == Kind::rsa ? "RS256" : "ES256", id_);
}

std::string TokenSigner::sign(std::string_view header, std::string_view claims) const {
  const std::string text = base64url(header) + "." + base64url(claims);
  EVP_MD_CTX* const context = ::EVP_MD_CTX_new();
  std::size_t size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  ::EVP_DigestSignInit(context, nullptr, ::EVP_sha256(), nullptr, static_cast<EVP_PKEY*>(key_.get()));
  ::EVP_DigestSign(context, nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  ::EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, text.size());
  ::EVP_MD_CTX_free(context);
  signature.resize(size);
  return text + "." + base64url(kind_ == Kind::p256 ? from_der(signature) : signature);
}

std::string hs256_token(std::string_view header, std::string_view claims, std::string_view secret) {
  const std::string text = base64url(header) + "." + base64url(claims);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return text + "." + base64url({reinterpret_cast<const char*>(digest), size});
}

}  // namespace squall::testing
