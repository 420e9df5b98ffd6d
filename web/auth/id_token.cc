#include <squall/web/auth/id_token.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/auth/base64url.h>
#include <squall/web/auth/provider_json.h>
#include <squall/web/security/constant_time.h>
#include <squall/web/security/sha256.h>

#include <algorithm>
#include <array>
#include <utility>

namespace squall::web {
namespace {

using nlohmann::json;

// The parts of a token that is whole, but not verified.
struct ParsedToken {
  json header;
  json claims;
  std::string claims_text;
  std::string_view signed_text;
  std::string signature;
};

std::optional<ParsedToken> parse_token(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos) return std::nullopt;
  const auto header = detail::base64url_decode(token.substr(0, first));
  auto claims = detail::base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = detail::base64url_decode(token.substr(second + 1));
  if (!header || !claims || !signature) return std::nullopt;
  auto header_object = detail::parse_provider_object(*header);
  auto claims_object = detail::parse_provider_object(*claims);
  if (!header_object || !claims_object) return std::nullopt;
  ParsedToken parsed;
  parsed.header = std::move(*header_object);
  parsed.claims = std::move(*claims_object);
  parsed.claims_text = std::move(*claims);
  parsed.signed_text = token.substr(0, second);
  parsed.signature = std::move(*signature);
  return parsed;
}

// A provider signs other tokens by the same keys (RFC 8725, 3.11): logout tokens have `events`.
bool is_of_another_kind(const ParsedToken& token) {
  const auto type = token.header.find("typ");
  if (type != token.header.end() &&
      !(type->is_string() && equals_ignoring_case(type->get_ref<const std::string&>(), "JWT")))
    return true;
  return token.claims.contains("events");
}

IdTokenFault check_signature(const ParsedToken& token, const KeySet& keys) {
  const std::string algorithm = detail::text_member(token.header, "alg");
  if (algorithm != "RS256" && algorithm != "ES256") return IdTokenFault::unsupported_algorithm;
  if (token.header.contains("crit")) return IdTokenFault::critical_header;
  const auto id = token.header.find("kid");
  std::optional<std::string> key_id;
  if (id != token.header.end()) {
    if (!id->is_string()) return IdTokenFault::malformed;
    key_id = id->get<std::string>();
  }
  // A key verifies signatures of its own algorithm alone, whatever the header says.
  const auto wanted = algorithm == "RS256" ? SignatureAlgorithm::rs256 : SignatureAlgorithm::es256;
  const auto candidates = keys.find(wanted, key_id);
  if (candidates.empty()) return IdTokenFault::unknown_key;
  const bool is_signed = std::any_of(candidates.begin(), candidates.end(), [&](const SignatureKey* key) {
    return key->verifies(token.signed_text, token.signature);
  });
  return is_signed ? IdTokenFault::none : IdTokenFault::bad_signature;
}

// Seconds since the epoch; nullopt if the claim is missing, or no time that a clock can have.
std::optional<double> time_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const auto seconds = found->get<double>();
  // A time_point of nanoseconds ends in the year 2262.
  if (!(seconds >= 0 && seconds < 9e9)) return std::nullopt;
  return seconds;
}

std::chrono::system_clock::time_point time_of(double seconds) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::duration<double>(seconds)));
}

// The audiences; empty if the claim is neither a text nor a list of texts.
std::vector<std::string> audiences_of(const json& claims) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return {};
  if (found->is_string()) return {found->get<std::string>()};
  std::vector<std::string> audiences;
  if (!found->is_array()) return audiences;
  for (const json& audience : *found) {
    if (!audience.is_string()) return {};
    audiences.push_back(audience.get<std::string>());
  }
  return audiences;
}

IdTokenFault check_party(const json& claims, const IdTokenRules& rules) {
  const std::string& client_id = rules.client_id;
  const std::vector<std::string> audiences = audiences_of(claims);
  if (std::find(audiences.begin(), audiences.end(), client_id) == audiences.end())
    return IdTokenFault::wrong_audience;
  const auto party = claims.find("azp");
  if (party == claims.end()) return audiences.size() == 1 ? IdTokenFault::none : IdTokenFault::wrong_party;
  if (!party->is_string()) return IdTokenFault::wrong_party;
  const auto& name = party->get_ref<const std::string&>();
  const auto& others = rules.authorized_parties;
  return name == client_id || std::find(others.begin(), others.end(), name) != others.end()
             ? IdTokenFault::none
             : IdTokenFault::wrong_party;
}

IdTokenFault check_times(const json& claims, TimeSpan leeway, std::chrono::system_clock::time_point now) {
  const double forgiven = std::chrono::duration<double>(leeway).count();
  const double at = std::chrono::duration<double>(now.time_since_epoch()).count();
  const auto expires = time_claim(claims, "exp");
  const auto issued = time_claim(claims, "iat");
  if (!expires || !issued) return IdTokenFault::malformed;
  if (at - forgiven >= *expires) return IdTokenFault::expired;
  if (*issued > at + forgiven) return IdTokenFault::not_yet_valid;
  if (!claims.contains("nbf")) return IdTokenFault::none;
  const auto begins = time_claim(claims, "nbf");
  if (!begins) return IdTokenFault::malformed;
  return *begins > at + forgiven ? IdTokenFault::not_yet_valid : IdTokenFault::none;
}

// OpenID Connect Core, 3.1.3.6.
bool is_hash_of(const std::string& hash, std::string_view access_token) {
  const std::array<char, 32> digest = detail::sha256(access_token);
  return constant_time_equals(hash, detail::base64url_encode({digest.data(), digest.size() / 2}));
}

IdTokenFault check_claims(const json& claims, const IdTokenRules& rules,
                          std::chrono::system_clock::time_point now) {
  using detail::text_member;
  const std::string issuer = text_member(claims, "iss");
  if (issuer.empty() || text_member(claims, "sub").empty()) return IdTokenFault::malformed;
  if (std::find(rules.issuers.begin(), rules.issuers.end(), issuer) == rules.issuers.end())
    return IdTokenFault::wrong_issuer;
  if (const IdTokenFault fault = check_party(claims, rules); fault != IdTokenFault::none) return fault;
  if (const IdTokenFault fault = check_times(claims, rules.leeway, now); fault != IdTokenFault::none)
    return fault;
  if (rules.nonce && rules.nonce->empty()) return IdTokenFault::wrong_nonce;
  if (rules.nonce && !constant_time_equals(text_member(claims, "nonce"), *rules.nonce))
    return IdTokenFault::wrong_nonce;
  if (rules.access_token && claims.contains("at_hash") &&
      !is_hash_of(text_member(claims, "at_hash"), *rules.access_token))
    return IdTokenFault::wrong_access_token;
  return IdTokenFault::none;
}

IdentityClaims claims_of(ParsedToken token) {
  using detail::text_member;
  const json& claims = token.claims;
  IdentityClaims made{.issuer = text_member(claims, "iss"), .subject = text_member(claims, "sub")};
  made.email = text_member(claims, "email");
  // Some providers send the text "true".
  const auto verified = claims.find("email_verified");
  made.email_verified = verified != claims.end() && (*verified == true || *verified == "true");
  made.name = text_member(claims, "name");
  made.given_name = text_member(claims, "given_name");
  made.family_name = text_member(claims, "family_name");
  made.picture = text_member(claims, "picture");
  made.locale = text_member(claims, "locale");
  made.nonce = text_member(claims, "nonce");
  made.issued_at = time_of(*time_claim(claims, "iat"));
  made.expires_at = time_of(*time_claim(claims, "exp"));
  made.json = std::move(token.claims_text);
  return made;
}

}  // namespace

std::string_view describe(IdTokenFault fault) noexcept {
  switch (fault) {
    case IdTokenFault::none: return "it is valid";
    case IdTokenFault::too_large: return "it is too large";
    case IdTokenFault::malformed: return "it is malformed";
    case IdTokenFault::unsupported_algorithm: return "its algorithm is neither RS256 nor ES256";
    case IdTokenFault::critical_header: return "it has extensions that are unknown (crit)";
    case IdTokenFault::other_kind: return "it is a token of another kind (typ, events)";
    case IdTokenFault::unknown_key: return "no key of the provider has its key id";
    case IdTokenFault::bad_signature: return "its signature is wrong";
    case IdTokenFault::wrong_issuer: return "it is of another issuer";
    case IdTokenFault::wrong_audience: return "it is for another client (aud)";
    case IdTokenFault::wrong_party: return "it is for another party (azp)";
    case IdTokenFault::expired: return "it has expired";
    case IdTokenFault::not_yet_valid: return "it is not valid yet (iat, nbf)";
    case IdTokenFault::wrong_nonce: return "it is not of this sign-in (nonce)";
    case IdTokenFault::wrong_access_token: return "it belongs to another access token (at_hash)";
  }
  return "";
}

std::optional<IdentityClaims> verify_id_token(std::string_view token, const KeySet& keys,
                                              const IdTokenRules& rules,
                                              std::chrono::system_clock::time_point now,
                                              IdTokenFault& fault) {
  fault = IdTokenFault::too_large;
  if (token.size() > kMaxIdTokenSize) return std::nullopt;
  fault = IdTokenFault::malformed;
  std::optional<ParsedToken> parsed = parse_token(token);
  if (!parsed) return std::nullopt;
  fault = IdTokenFault::other_kind;
  if (is_of_another_kind(*parsed)) return std::nullopt;
  fault = check_signature(*parsed, keys);
  if (fault == IdTokenFault::none) fault = check_claims(parsed->claims, rules, now);
  if (fault != IdTokenFault::none) return std::nullopt;
  return claims_of(std::move(*parsed));
}

}  // namespace squall::web
