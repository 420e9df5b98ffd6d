#include <squall/web/auth/signature_key.h>

#include <squall/iostream/tls/openssl.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <cstddef>
#include <new>
#include <string>

namespace squall::web {
namespace {

using openssl::Free;
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

constexpr std::size_t kLeastModulus = 2048 / 8;
constexpr std::size_t kMostModulus = 8192 / 8;
// Larger exponents, which no key has, make verifying slow.
constexpr std::size_t kMostExponent = 8;
constexpr std::size_t kCoordinate = 32;

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

BigNumber number_of(std::string_view bytes) {
  BigNumber number(::BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  if (!number) throw std::bad_alloc();
  return number;
}

// Null if the parameters are no key.
std::shared_ptr<void> key_of(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(::OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  if (!params || !context) throw std::bad_alloc();
  EVP_PKEY* made = nullptr;
  if (::EVP_PKEY_fromdata_init(context.get()) != 1 ||
      ::EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    openssl::forget_errors();
    return nullptr;
  }
  return {made, [](void* key) { ::EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }};
}

bool is_on_curve(const std::shared_ptr<void>& key) {
  const KeyContext checker(
      ::EVP_PKEY_CTX_new_from_pkey(nullptr, static_cast<EVP_PKEY*>(key.get()), nullptr));
  if (!checker) throw std::bad_alloc();
  const bool is_good = ::EVP_PKEY_public_check(checker.get()) == 1;
  openssl::forget_errors();
  return is_good;
}

// JWS has two numbers of 32 bytes (RFC 7518, 3.4), OpenSSL takes them as DER. Empty for another signature.
std::string to_der(std::string_view signature) {
  if (signature.size() != 2 * kCoordinate) return {};
  BigNumber r = number_of(signature.substr(0, kCoordinate));
  BigNumber s = number_of(signature.substr(kCoordinate));
  const EcdsaSignature pair(::ECDSA_SIG_new());
  if (!pair || ::ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) throw std::bad_alloc();
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = ::i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) throw std::bad_alloc();
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  ::i2d_ECDSA_SIG(pair.get(), &at);
  return der;
}

}  // namespace

std::optional<SignatureKey> SignatureKey::rsa(std::string_view modulus, std::string_view exponent) {
  while (modulus.starts_with('\0')) modulus.remove_prefix(1);
  if (modulus.size() < kLeastModulus || modulus.size() > kMostModulus || (modulus.front() & 0x80) == 0)
    return std::nullopt;
  // Even numbers are no keys; with the exponent 1 every text is its own signature.
  if (exponent.empty() || exponent.size() > kMostExponent || (exponent.back() & 1) == 0 ||
      (modulus.back() & 1) == 0)
    return std::nullopt;
  const BigNumber n = number_of(modulus);
  const BigNumber e = number_of(exponent);
  if (::BN_is_one(e.get())) return std::nullopt;
  // OpenSSL's own check of a modulus looks for primes, which takes most of a second (CVE-2023-6237).
  const ParamBuilder builder(::OSSL_PARAM_BLD_new());
  if (!builder || ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    throw std::bad_alloc();
  std::shared_ptr<void> key = key_of("RSA", builder.get());
  if (!key) return std::nullopt;
  return SignatureKey(SignatureAlgorithm::rs256, std::move(key));
}

std::optional<SignatureKey> SignatureKey::p256(std::string_view x, std::string_view y) {
  if (x.size() != kCoordinate || y.size() != kCoordinate) return std::nullopt;
  std::string point = "\x04";  // uncompressed
  point.append(x).append(y);
  const ParamBuilder builder(::OSSL_PARAM_BLD_new());
  if (!builder ||
      ::OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      ::OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
    throw std::bad_alloc();
  std::shared_ptr<void> key = key_of("EC", builder.get());
  if (!key || !is_on_curve(key)) return std::nullopt;
  return SignatureKey(SignatureAlgorithm::es256, std::move(key));
}

bool SignatureKey::verifies(std::string_view text, std::string_view signature) const {
  std::string der;
  if (algorithm_ == SignatureAlgorithm::es256) {
    der = to_der(signature);
    signature = der;
  }
  if (signature.empty()) return false;
  const DigestContext context(::EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  const bool is_valid = ::EVP_DigestVerifyInit(context.get(), nullptr, ::EVP_sha256(), nullptr,
                                               static_cast<EVP_PKEY*>(key_.get())) == 1 &&
                        ::EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                           bytes_of(text), text.size()) == 1;
  openssl::forget_errors();
  return is_valid;
}

}  // namespace squall::web
