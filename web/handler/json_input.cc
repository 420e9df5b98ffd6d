#include <squall/web/handler/json_input.h>

#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::web::detail {
namespace {

// `application/json`, or a type with the suffix `+json` (RFC 6839, 3.1).
bool is_json_type(std::string_view type) {
  return equals_ignoring_case(type, "application/json") ||
         (type.size() > 5 && equals_ignoring_case(type.substr(type.size() - 5), "+json"));
}

void check_type(const http::ServerRequest& request) {
  const std::string_view field = request.headers().find(http::HeaderId::content_type).value_or("");
  const http::HeaderParams type = http::parse_header(field);
  if (!is_json_type(type.value))
    throw HTTPError(415, fmt::format("Content-Type '{}' is not JSON: expected application/json", field));
  const std::string* const charset = type.find("charset");
  if (charset && !equals_ignoring_case(*charset, "utf-8"))
    throw HTTPError(415, fmt::format("JSON is UTF-8 (RFC 8259, 8.1), and not '{}'", *charset));
  if (const auto coding = request.headers().find("Content-Encoding"))
    throw HTTPError(415, fmt::format("Unsupported Content-Encoding: {}", *coding));
}

// The first bracket that is nested deeper than `limit`; npos for none. Brackets within strings do not count.
// The text need not be JSON.
std::size_t find_too_deep(std::string_view text, std::size_t limit) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return i;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return text.npos;
}

// `line 2, column 5 (byte 17)`. Lines and columns begin at 1, bytes at 0.
std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return fmt::format("line {}, column {} (byte {})", line, column, before.size());
}

}  // namespace

JsonInput json_input(const http::ServerRequest& request, const Settings& settings) {
  check_type(request);
  const std::string_view text = request.body();
  if (text.empty()) throw HTTPError(400, "Invalid JSON: the body is empty");
  if (text.size() > settings.max_json_size)
    throw HTTPError(413, fmt::format("JSON of {} bytes: Settings::max_json_size is {}", text.size(),
                                     settings.max_json_size));
  if (!is_utf8(text)) throw HTTPError(400, "Invalid JSON: not UTF-8");
  const std::size_t deep = find_too_deep(text, settings.max_json_depth);
  if (deep != text.npos)
    throw HTTPError(400, fmt::format("Invalid JSON in {}: nested deeper than {}", line_and_column(text, deep),
                                     settings.max_json_depth));
  return {text};
}

void refuse_json(const JsonInput& in, const std::exception& error) {
  const auto* const located = dynamic_cast<const JsonError*>(&error);
  if (!located || !located->offset()) throw HTTPError(400, fmt::format("Invalid JSON: {}", error.what()));
  throw HTTPError(
      400, fmt::format("Invalid JSON in {}: {}", line_and_column(in.text, *located->offset()), error.what()));
}

}  // namespace squall::web::detail
