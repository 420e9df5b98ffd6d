#include <squall/web/auth/id_token.h>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/token_signer.h"

namespace squall::web::id_token_test {
namespace {

using namespace std::chrono_literals;
using testing::TokenSigner;
using Fault = IdTokenFault;

const auto kNow = std::chrono::system_clock::from_time_t(1'700'000'000);

// The claims of a good token, in which a member may be replaced, or removed by an empty value.
std::string claims(std::string_view name = "", std::string_view value = "") {
  std::string json = "{";
  const auto add = [&](std::string_view key, std::string_view text) {
    if (key == name) text = value;
    if (!text.empty()) json += fmt::format("{}\"{}\":{}", json.size() > 1 ? "," : "", key, text);
  };
  add("iss", R"("https://login.example.com")");
  add("sub", R"("user-7")");
  add("aud", R"("client")");
  add("exp", "1700000600");
  add("iat", "1700000000");
  add("nonce", R"("n-1")");
  add("email", R"("ada@example.com")");
  add("email_verified", "true");
  for (const char* rare : {"azp", "nbf", "at_hash", "events"})
    if (name == rare) add(rare, value);
  return json + "}";
}

IdTokenRules rules() {
  return {.issuers = {"https://login.example.com"}, .client_id = "client", .nonce = "n-1"};
}

const TokenSigner& ec() {
  static const TokenSigner signer(TokenSigner::Kind::p256);
  return signer;
}
const TokenSigner& rsa() {
  static const TokenSigner signer(TokenSigner::Kind::rsa);
  return signer;
}

Fault fault_of(std::string_view token, const TokenSigner& signer = ec(),
               const IdTokenRules& wanted = rules()) {
  Fault fault = Fault::none;
  const auto keys = KeySet::parse(signer.jwks());
  REQUIRE(keys);
  const auto user = verify_id_token(token, *keys, wanted, kNow, fault);
  CHECK(user.has_value() == (fault == Fault::none));
  CHECK(!describe(fault).empty());
  return fault;
}
Fault fault_with(std::string_view name, std::string_view value) {
  return fault_of(ec().sign(claims(name, value)));
}

TEST_CASE("a good token of either algorithm gives its claims", "[id_token]") {
  for (const TokenSigner* signer : {&ec(), &rsa()}) {
    Fault fault{};
    const auto user =
        verify_id_token(signer->sign(claims()), KeySet::parse(signer->jwks()).value(), rules(), kNow, fault);
    REQUIRE(user);
    CHECK(fault == Fault::none);
    CHECK(user->issuer == "https://login.example.com");
    CHECK(user->subject == "user-7");
    CHECK(user->email == "ada@example.com");
    CHECK(user->email_verified);
    CHECK(user->nonce == "n-1");
    CHECK(user->issued_at == kNow);
    CHECK(user->expires_at == kNow + 10min);
    CHECK(user->json == claims());
    CHECK(user->name.empty());
  }
}

TEST_CASE("an ES256 signature of RFC 7515 (A.3) is verified", "[id_token]") {
  const auto key =
      KeySet::parse(R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
  REQUIRE(key);
  const std::string token =
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  // It has no subject, so it is not an ID token; but its signature is right.
  Fault fault{};
  CHECK(!verify_id_token(token, *key, rules(), kNow, fault));
  CHECK(fault == Fault::malformed);
  CHECK(!verify_id_token(token.substr(0, token.size() - 5) + "AAAAA", *key, rules(), kNow, fault));
  CHECK(fault == Fault::bad_signature);
}

TEST_CASE("a token without a signature is refused: alg none in any spelling", "[id_token]") {
  for (const char* name : {"none", "None", "NONE", "nOnE", ""}) {
    CAPTURE(name);
    std::string token = ec().sign(fmt::format(R"({{"alg":"{}","kid":"key-1"}})", name), claims());
    CHECK(fault_of(token) == Fault::unsupported_algorithm);
    token.resize(token.rfind('.') + 1);
    CHECK(fault_of(token) == Fault::unsupported_algorithm);
  }
  CHECK(fault_of(ec().sign(R"({"kid":"key-1"})", claims())) == Fault::unsupported_algorithm);
  CHECK(fault_of(ec().sign(R"({"alg":7})", claims())) == Fault::unsupported_algorithm);
}

TEST_CASE("HS256 with the public key as the secret is refused", "[id_token]") {
  for (const TokenSigner* signer : {&ec(), &rsa()})
    for (const std::string& secret : {signer->pem(), signer->jwk(), signer->jwks()}) {
      const char* const header = R"({"alg":"HS256","kid":"key-1"})";
      CHECK(fault_of(testing::hs256_token(header, claims(), secret), *signer) ==
            Fault::unsupported_algorithm);
      // The header lies about the algorithm.
      CHECK(fault_of(testing::hs256_token(signer->header(), claims(), secret), *signer) ==
            Fault::bad_signature);
    }
}

TEST_CASE("a token of another key, or with other claims, has a bad signature", "[id_token]") {
  const TokenSigner other(TokenSigner::Kind::p256);
  CHECK(fault_of(other.sign(claims())) == Fault::bad_signature);
  const std::string good = ec().sign(claims());
  const std::string forged = ec().sign(claims("sub", R"("admin")"));
  const std::string mixed = forged.substr(0, forged.rfind('.')) + good.substr(good.rfind('.'));
  CHECK(fault_of(mixed) == Fault::bad_signature);
  CHECK(fault_of(good.substr(0, good.rfind('.') + 1)) == Fault::bad_signature);
  // Of the other algorithm: the key is not tried.
  CHECK(fault_of(ec().sign(R"({"alg":"RS256","kid":"key-1"})", claims())) == Fault::unknown_key);
}

TEST_CASE("the key id must be known; without one the only key is taken", "[id_token]") {
  CHECK(fault_of(ec().sign(R"({"alg":"ES256","kid":"key-2"})", claims())) == Fault::unknown_key);
  CHECK(fault_of(ec().sign(R"({"alg":"ES256"})", claims())) == Fault::none);
  CHECK(fault_of(ec().sign(R"({"alg":"ES256","kid":7})", claims())) == Fault::malformed);
  CHECK(fault_of(ec().sign(R"({"alg":"ES256","kid":"key-1","crit":["b64"],"b64":true})", claims())) ==
        Fault::critical_header);
}

TEST_CASE("another kind of token of the provider is refused (RFC 8725, 3.11)", "[id_token]") {
  const auto fault_of_type = [](std::string_view type) {
    return fault_of(ec().sign(fmt::format(R"({{"alg":"ES256","typ":{}}})", type), claims()));
  };
  CHECK(fault_of_type(R"("JWT")") == Fault::none);
  CHECK(fault_of_type(R"("jwt")") == Fault::none);
  for (const char* type : {R"("logout+jwt")", R"("at+jwt")", R"("")", "null", "7"}) {
    CAPTURE(type);
    CHECK(fault_of_type(type) == Fault::other_kind);
  }
  CHECK(fault_with("events", "{}") == Fault::other_kind);
}

TEST_CASE("a party may be another client that the rules name", "[id_token]") {
  IdTokenRules wanted = rules();
  wanted.authorized_parties.push_back("app");
  CHECK(fault_of(ec().sign(claims("azp", R"("app")")), ec(), wanted) == Fault::none);
  CHECK(fault_of(ec().sign(claims("azp", R"("another")")), ec(), wanted) == Fault::wrong_party);
  CHECK(fault_of(ec().sign(claims("aud", R"("app")")), ec(), wanted) == Fault::wrong_audience);
}

TEST_CASE("issuer, audience and party must be right", "[id_token]") {
  CHECK(fault_with("iss", R"("https://evil.example")") == Fault::wrong_issuer);
  CHECK(fault_with("iss", R"("https://login.example.com/")") == Fault::wrong_issuer);
  CHECK(fault_with("aud", R"("another")") == Fault::wrong_audience);
  CHECK(fault_with("aud", R"(["another"])") == Fault::wrong_audience);
  CHECK(fault_with("aud", R"(["client",7])") == Fault::wrong_audience);
  CHECK(fault_with("aud", "") == Fault::wrong_audience);
  CHECK(fault_with("aud", R"(["client"])") == Fault::none);
  CHECK(fault_with("aud", R"(["client","another"])") == Fault::wrong_party);
  CHECK(fault_with("azp", R"("another")") == Fault::wrong_party);
  CHECK(fault_with("azp", R"("client")") == Fault::none);
}

TEST_CASE("the times must be right, but for a minute of difference between the clocks", "[id_token]") {
  CHECK(fault_with("exp", "1700000000") == Fault::none);
  CHECK(fault_with("exp", "1699999941") == Fault::none);
  CHECK(fault_with("exp", "1699999940") == Fault::expired);
  CHECK(fault_with("exp", "1600000000.5") == Fault::expired);
  CHECK(fault_with("iat", "1700000060") == Fault::none);
  CHECK(fault_with("iat", "1700000061") == Fault::not_yet_valid);
  CHECK(fault_with("nbf", "1700000060") == Fault::none);
  CHECK(fault_with("nbf", "1700000061") == Fault::not_yet_valid);
  for (const char* bad : {"", R"("1700000600")", "-1", "1e300", "null", "[]"}) {
    CAPTURE(bad);
    CHECK(fault_with("exp", bad) == Fault::malformed);
    CHECK(fault_with("iat", bad) == Fault::malformed);
    if (*bad) CHECK(fault_with("nbf", bad) == Fault::malformed);
  }
}

TEST_CASE("the nonce must be that of the sign-in", "[id_token]") {
  CHECK(fault_with("nonce", R"("n-2")") == Fault::wrong_nonce);
  CHECK(fault_with("nonce", "") == Fault::wrong_nonce);
  IdTokenRules any = rules();
  any.nonce = "";
  CHECK(fault_of(ec().sign(claims("nonce", "")), ec(), any) == Fault::wrong_nonce);
  CHECK(fault_of(ec().sign(claims("nonce", R"("")")), ec(), any) == Fault::wrong_nonce);
  any.nonce = std::nullopt;
  CHECK(fault_of(ec().sign(claims("nonce", "")), ec(), any) == Fault::none);
}

TEST_CASE("at_hash, if there is one, must be of the access token (OpenID Connect Core, A.3)", "[id_token]") {
  IdTokenRules wanted = rules();
  wanted.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
  CHECK(fault_of(ec().sign(claims()), ec(), wanted) == Fault::none);
  CHECK(fault_of(ec().sign(claims("at_hash", R"("77QmUPtjPfzWtF2AnpK9RQ")")), ec(), wanted) == Fault::none);
  CHECK(fault_of(ec().sign(claims("at_hash", R"("77QmUPtjPfzWtF2AnpK9RA")")), ec(), wanted) ==
        Fault::wrong_access_token);
}

TEST_CASE("a token that is malformed or too large is refused", "[id_token]") {
  const std::string good = ec().sign(claims());
  for (const std::string& text : {std::string(), std::string("."), std::string(".."), std::string("a.b"),
                                  good + ".", good + "=", " " + good, good.substr(0, good.find('.'))}) {
    CAPTURE(text);
    CHECK(fault_of(text) == Fault::malformed);
  }
  for (const char* json :
       {"", "[]", "7", "{", "\"\xFF\"", R"({"iss":7,"sub":"a"})", R"({"iss":"a","sub":""})"}) {
    CAPTURE(json);
    CHECK(fault_of(ec().sign(json)) == Fault::malformed);
  }
  CHECK(fault_of(ec().sign("{\"a\":" + std::string(5000, '['))) == Fault::malformed);
  CHECK(fault_of(ec().sign(claims("email", '"' + std::string(kMaxIdTokenSize, 'a') + '"'))) ==
        Fault::too_large);
}

}  // namespace
}  // namespace squall::web::id_token_test
