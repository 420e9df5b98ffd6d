#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/web/auth/key_set.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// ID tokens of OpenID Connect: who the user is, signed by the provider (OpenID Connect Core 1.0, 2; RFC
// 7519).
//
// Thread:    any.
namespace squall::web {

// Beyond it a token is not read.
inline constexpr std::size_t kMaxIdTokenSize = 16 * 1024;

// The claims of an ID token. Only `issuer` and `subject` together name a user for ever: an e-mail address may
// change its owner, and is proved only if `email_verified` is true.
struct IdentityClaims {
  std::string issuer;
  std::string subject;
  std::string email{};
  bool email_verified = false;
  std::string name{};
  std::string given_name{};
  std::string family_name{};
  std::string picture{};  // a URL of the provider's choice
  std::string locale{};
  std::string nonce{};
  std::chrono::system_clock::time_point issued_at{};
  std::chrono::system_clock::time_point expires_at{};
  std::string json{};  // all claims
};

// The rules that an accepted token obeys.
struct IdTokenRules {
  std::vector<std::string> issuers;  // one of them
  std::string client_id;             // the token must be for it
  // Further clients that `azp` may name. Google's token for an Android app is for the server (`aud`), and
  // names the app.
  std::vector<std::string> authorized_parties{};
  // The nonce of the sign-in; nullopt: not checked. With an empty one every token is refused.
  std::optional<std::string> nonce{};
  // If the token has an `at_hash`, it must be of this access token; nullopt: not checked.
  std::optional<std::string> access_token{};
  // The difference between the clocks of both sides that is forgiven.
  TimeSpan leeway = std::chrono::seconds(60);
};

// The reason why a token is refused. The checks are made in this order.
enum class IdTokenFault : std::uint8_t {
  none,
  too_large,
  malformed,   // not three parts of base64, or not objects of JSON, or without a claim that all have
  other_kind,  // its header's `typ` is not JWT, or it has `events`: another token of the provider
  unsupported_algorithm,  // `none`, HS256 and all others but RS256 and ES256
  critical_header,        // a header `crit`, whose extensions are unknown (RFC 7515, 4.1.11)
  unknown_key,
  bad_signature,
  wrong_issuer,
  wrong_audience,  // it is for another client
  wrong_party,     // `azp` names another client, or is missing though there are several audiences
  expired,
  not_yet_valid,  // issued, or valid from, later than now
  wrong_nonce,
  wrong_access_token,
};

// For a log line: `it has expired`.
std::string_view describe(IdTokenFault fault) noexcept;

// The claims, if a key of the set has signed the token and it obeys the rules. Otherwise nullopt, and `fault`
// says why; a text never makes it throw.
std::optional<IdentityClaims> verify_id_token(std::string_view token, const KeySet& keys,
                                              const IdTokenRules& rules,
                                              std::chrono::system_clock::time_point now, IdTokenFault& fault);

}  // namespace squall::web
