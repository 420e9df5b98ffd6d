// ID tokens: any text, any header and claims with a good signature, and any key set.

#include <squall/web/auth/id_token.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"
#include "support/token_signer.h"

namespace squall::web {
namespace {

const auto kNow = std::chrono::system_clock::from_time_t(1'700'000'000);
const testing::TokenSigner kSigner(testing::TokenSigner::Kind::p256);
const KeySet kKeys = KeySet::parse(kSigner.jwks()).value();
const IdTokenRules kRules{
    .issuers = {"https://a.example"}, .client_id = "client", .nonce = "n", .access_token = "token"};

IdTokenFault fault_of(std::string_view token, std::optional<IdentityClaims>& claims) {
  IdTokenFault fault{};
  claims = verify_id_token(token, kKeys, kRules, kNow, fault);
  FUZZ_CHECK(claims.has_value() == (fault == IdTokenFault::none) && !describe(fault).empty());
  return fault;
}

// Nobody guesses a signature.
void check_unsigned(std::string_view token) {
  std::optional<IdentityClaims> claims;
  FUZZ_CHECK(fault_of(token, claims) != IdTokenFault::none);
}

// An accepted token obeys the rules, and is refused once a byte of it has changed.
void check_signed(std::string_view header, std::string_view body) {
  const std::string token = kSigner.sign(header, body);
  std::optional<IdentityClaims> claims;
  if (fault_of(token, claims) != IdTokenFault::none) return;
  FUZZ_CHECK(claims->issuer == "https://a.example" && !claims->subject.empty() && claims->nonce == "n");
  FUZZ_CHECK(claims->expires_at + std::chrono::seconds(60) > kNow && claims->json == body);
  std::string changed = token;
  changed[changed.find('.') + 1] ^= 1;
  check_unsigned(changed);
}

void check_keys(std::string_view json) {
  const std::optional<KeySet> keys = KeySet::parse(json);
  if (!keys) return;
  for (const auto algorithm : {SignatureAlgorithm::rs256, SignatureAlgorithm::es256})
    for (const SignatureKey* key : keys->find(algorithm, std::nullopt))
      FUZZ_CHECK(!key->verifies("text", std::string(64, 'x')));
}

}  // namespace
}  // namespace squall::web

// The first line of the input is the header, the rest the claims.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check_unsigned(text);
  squall::web::check_keys(text);
  const std::size_t line = text.find('\n');
  if (line != text.npos) squall::web::check_signed(text.substr(0, line), text.substr(line + 1));
  squall::web::check_signed(squall::web::kSigner.header(), text);
  return 0;
}
