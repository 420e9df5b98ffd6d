#include <squall/web/auth/key_set.h>

#include <fmt/format.h>

#include <optional>
#include <string>

#include "support/catch.h"
#include "support/token_signer.h"

namespace squall::web::key_set_test {
namespace {

using testing::TokenSigner;

// The keys of RFC 7515: A.2.1 (RSA) and A.3.1 (P-256).
constexpr const char* kRsaModulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-"
    "SFd2lZS-"
    "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
    "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
    "h9iaGNj8q2ethFkMLs91kzk2"
    "PAcDTW9gb54h4FRWyuXpoQ";
constexpr const char* kEcX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr const char* kEcY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

std::string rsa_key(const std::string& more, const std::string& modulus = kRsaModulus,
                    const std::string& exponent = "AQAB") {
  return fmt::format(R"({{"keys":[{{"kty":"RSA","kid":"k","n":"{}","e":"{}"{}}}]}})", modulus, exponent,
                     more);
}
std::string ec_key(const std::string& x, const std::string& y, const std::string& curve = "P-256") {
  return fmt::format(R"({{"keys":[{{"kty":"EC","kid":"k","crv":"{}","x":"{}","y":"{}"}}]}})", curve, x, y);
}

bool has_key(const std::string& json) {
  const std::optional<KeySet> keys = KeySet::parse(json);
  return keys && !keys->empty();
}

TEST_CASE("a key set has the RSA keys and the P-256 keys that sign (RFC 7517)", "[key_set]") {
  CHECK(has_key(rsa_key("")));
  CHECK(has_key(rsa_key(R"(,"use":"sig","alg":"RS256")")));
  CHECK(has_key(ec_key(kEcX, kEcY)));
  // Of other uses, kinds and algorithms.
  CHECK(!has_key(rsa_key(R"(,"use":"enc")")));
  CHECK(!has_key(rsa_key(R"(,"alg":"RS512")")));
  CHECK(!has_key(ec_key(kEcX, kEcY, "P-384")));
  CHECK(!has_key(R"({"keys":[{"kty":"oct","k":"c2VjcmV0"},7,null,{}]})"));
}

TEST_CASE("weak and malformed keys are skipped", "[key_set]") {
  CHECK(!has_key(rsa_key("", "AQAB")));
  CHECK(!has_key(rsa_key("", std::string(kRsaModulus) + "+")));
  // 8 bytes more than 8192 bits, of an odd number with a canonical text.
  CHECK(!has_key(rsa_key("", std::string(1376, '_'))));
  for (const char* exponent : {"", "AQ", "AA", "AQAC", "AQABAQABAQABAQABAQAB"}) {
    CAPTURE(exponent);
    CHECK(!has_key(rsa_key("", kRsaModulus, exponent)));
  }
  CHECK(!has_key(TokenSigner(TokenSigner::Kind::rsa, "k", 1024).jwks()));
  // The point is not on the curve, or no point.
  CHECK(!has_key(ec_key(kEcY, kEcX)));
  CHECK(!has_key(ec_key(kEcX, "")));
  CHECK(!has_key(ec_key(kEcX, std::string(kEcY) + "AA")));
}

TEST_CASE("a text that is no key set is refused", "[key_set]") {
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[)", "\xFF"}) {
    CAPTURE(text);
    CHECK(!KeySet::parse(text));
  }
  CHECK(!KeySet::parse(R"({"keys":)" + std::string(100'000, '[')));
  const std::optional<KeySet> none = KeySet::parse(R"({"keys":[]})");
  CHECK((none && none->empty()));
}

TEST_CASE("a key is found by its id and its algorithm, and without an id if it is the only one",
          "[key_set]") {
  const TokenSigner one(TokenSigner::Kind::p256, "one");
  const TokenSigner two(TokenSigner::Kind::p256, "two");
  const auto keys = KeySet::parse(fmt::format(R"({{"keys":[{},{}]}})", one.jwk(), two.jwk()));
  REQUIRE(keys);
  CHECK(keys->find(SignatureAlgorithm::es256, "one").size() == 1);
  CHECK(keys->find(SignatureAlgorithm::es256, "three").empty());
  CHECK(keys->find(SignatureAlgorithm::rs256, "one").empty());
  CHECK(keys->find(SignatureAlgorithm::es256, std::nullopt).empty());
  const auto alone = KeySet::parse(one.jwks());
  REQUIRE(alone);
  CHECK(alone->find(SignatureAlgorithm::es256, std::nullopt).size() == 1);
}

// A set of a good key after `count` others.
std::string set_with(int count, const std::string& others) {
  std::string json = R"({"keys":[)";
  for (int i = 0; i < count; ++i) json += others + ",";
  return json + fmt::format(R"({{"kty":"EC","kid":"k","crv":"P-256","x":"{}","y":"{}"}}]}})", kEcX, kEcY);
}

TEST_CASE("the first 100 keys of a set are read, whether they are good or not", "[key_set]") {
  CHECK(has_key(set_with(99, "{}")));
  CHECK(!has_key(set_with(100, "{}")));
}

TEST_CASE("at most 4 keys have one id", "[key_set]") {
  const auto keys = KeySet::parse(
      set_with(9, fmt::format(R"({{"kty":"EC","kid":"k","crv":"P-256","x":"{}","y":"{}"}})", kEcX, kEcY)));
  REQUIRE(keys);
  CHECK(keys->find(SignatureAlgorithm::es256, "k").size() == 4);
}

TEST_CASE("a modulus is not searched for primes, which would stall the loop (CVE-2023-6237)", "[key_set]") {
  // 2^8192 - 1 has small factors, for which OpenSSL's check refuses it.
  CHECK(has_key(rsa_key("", std::string(1365, '_') + "w")));
}

}  // namespace
}  // namespace squall::web::key_set_test
