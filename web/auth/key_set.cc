#include <squall/web/auth/key_set.h>

#include <squall/web/auth/base64url.h>
#include <squall/web/auth/provider_json.h>

#include <utility>

namespace squall::web {
namespace {

// nullopt unless the member is a number in base64 of URLs.
std::optional<std::string> number_member(const nlohmann::json& key, const char* name) {
  const std::string text = detail::text_member(key, name);
  return text.empty() ? std::nullopt : detail::base64url_decode(text);
}

// nullopt for a key that does not verify signatures.
std::optional<SignatureKey> key_of_json(const nlohmann::json& key) {
  const std::string use = detail::text_member(key, "use");
  if (!use.empty() && use != "sig") return std::nullopt;
  const std::string type = detail::text_member(key, "kty");
  const std::string algorithm = detail::text_member(key, "alg");
  if (type == "RSA" && (algorithm.empty() || algorithm == "RS256")) {
    const auto modulus = number_member(key, "n");
    const auto exponent = number_member(key, "e");
    return modulus && exponent ? SignatureKey::rsa(*modulus, *exponent) : std::nullopt;
  }
  if (type == "EC" && (algorithm.empty() || algorithm == "ES256") &&
      detail::text_member(key, "crv") == "P-256") {
    const auto x = number_member(key, "x");
    const auto y = number_member(key, "y");
    return x && y ? SignatureKey::p256(*x, *y) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<KeySet> KeySet::parse(std::string_view json) {
  const std::optional<nlohmann::json> set = detail::parse_provider_object(json);
  if (!set) return std::nullopt;
  const auto keys = set->find("keys");
  if (keys == set->end() || !keys->is_array()) return std::nullopt;
  KeySet parsed;
  std::size_t seen = 0;
  for (const nlohmann::json& key : *keys) {
    if (++seen > kMostKeys) break;
    if (!key.is_object()) continue;
    if (auto usable = key_of_json(key)) parsed.keys_.push_back({detail::text_member(key, "kid"), *usable});
  }
  return parsed;
}

std::vector<const SignatureKey*> KeySet::find(SignatureAlgorithm algorithm,
                                              const std::optional<std::string>& key_id) const {
  std::vector<const SignatureKey*> found;
  for (const Entry& entry : keys_)
    if (entry.key.algorithm() == algorithm && (!key_id || entry.id == *key_id)) found.push_back(&entry.key);
  if (!key_id && found.size() > 1) found.clear();
  if (found.size() > kMostOfOneId) found.resize(kMostOfOneId);
  return found;
}

}  // namespace squall::web
