#include <squall/web/auth/provider_json.h>

#include <squall/web/auth/json_reply.h>

#include <fmt/format.h>

namespace squall::web {
namespace detail {
namespace {

constexpr std::size_t kMaxCode = 60;
constexpr std::size_t kMaxDescription = 200;

// Other characters become `?`.
std::string visible_text(std::string_view text, std::size_t limit) {
  std::string visible(text.substr(0, limit));
  for (char& c : visible)
    if (c < ' ' || c > '~') c = '?';
  return visible;
}

}  // namespace

std::optional<nlohmann::json> parse_provider_json(std::string_view text) {
  using nlohmann::json;
  bool is_too_deep = false;
  const json::parser_callback_t check_depth = [&](int depth, json::parse_event_t, json&) {
    is_too_deep = is_too_deep || depth > JsonReply::kMaxDepth;
    return !is_too_deep;
  };
  json value = json::parse(text, check_depth, /*allow_exceptions=*/false);
  if (value.is_discarded() || is_too_deep) return std::nullopt;
  return value;
}

std::optional<nlohmann::json> parse_provider_object(std::string_view text) {
  std::optional<nlohmann::json> value = parse_provider_json(text);
  if (value && !value->is_object()) value.reset();
  return value;
}

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string describe_provider_error(std::string_view code, std::string_view description) {
  if (code.empty()) return {};
  std::string text = visible_text(code, kMaxCode);
  if (!description.empty()) text += ": " + visible_text(description, kMaxDescription);
  return text;
}

ProviderError error_member(const nlohmann::json& object) {
  const auto error = object.find("error");
  if (error == object.end()) return {};
  if (error->is_object()) return {text_member(*error, "type"), text_member(*error, "message")};
  return {text_member(object, "error"), text_member(object, "error_description")};
}

}  // namespace detail

JsonReply JsonReply::check(std::string text, std::string_view what) {
  if (!detail::parse_provider_json(text))
    throw AuthError(AuthError::Fault::provider, fmt::format("{} sent something that is not JSON", what));
  return JsonReply(std::move(text));
}

}  // namespace squall::web
