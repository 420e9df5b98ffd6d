#include <squall/web/routing/path_spelling.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url_chars.h>
#include <squall/ioloop/base/ascii.h>

namespace squall::web {
namespace {

constexpr bool is_unreserved(char c) noexcept {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

char escaped_char(std::string_view path, std::size_t at) noexcept {
  return static_cast<char>(hex_value(path[at + 1]) * 16 + hex_value(path[at + 2]));
}

constexpr bool is_lower_hex(char c) noexcept { return c >= 'a' && c <= 'f'; }

}  // namespace

bool is_path_char(char c) noexcept {
  if (c == '%') return false;
  return http::kPathChars[static_cast<unsigned char>(c)] || c == '[' || c == ']' || c == '^' || c == '|';
}

bool has_one_spelling(std::string_view path) noexcept {
  for (std::size_t at = path.find('%'); at != path.npos; at = path.find('%', at + 1)) {
    if (!http::is_percent_escape(path, at)) continue;
    if (is_lower_hex(path[at + 1]) || is_lower_hex(path[at + 2]) || is_unreserved(escaped_char(path, at)))
      return false;
  }
  return true;
}

std::string with_one_spelling(std::string_view path) {
  std::string result;
  result.reserve(path.size());
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (!http::is_percent_escape(path, at)) {
      result += path[at];
      continue;
    }
    const char c = escaped_char(path, at);
    if (is_unreserved(c)) {
      result += c;
    } else {
      http::append_percent_escape(result, static_cast<unsigned char>(c));
    }
    at += 2;
  }
  return result;
}

}  // namespace squall::web
