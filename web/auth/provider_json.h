#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

// Reading JSON of providers. Private: no installed header includes this header.
namespace squall::web::detail {

// The value; nullopt for a text that is not JSON in UTF-8, or nested deeper than JsonReply::kMaxDepth. Linear
// time; the parser does not recurse.
std::optional<nlohmann::json> parse_provider_json(std::string_view text);
// The same; nullopt also for a value that is not an object.
std::optional<nlohmann::json> parse_provider_object(std::string_view text);

// The text of the member; empty without the member, and for a value that is no text.
std::string text_member(const nlohmann::json& object, const char* name);

// The error that a reply describes, as the provider has sent it.
struct ProviderError {
  std::string code;
  std::string description{};

  bool empty() const noexcept { return code.empty(); }
};
// OAuth 2 (RFC 6749, 5.2) and Facebook's form. Empty if the reply describes none.
ProviderError error_member(const nlohmann::json& object);

// For a log line: `invalid_grant: the code has expired`. At most 300 visible characters.
std::string describe_provider_error(std::string_view code, std::string_view description);

}  // namespace squall::web::detail
