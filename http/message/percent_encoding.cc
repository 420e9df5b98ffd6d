#include <squall/http/message/percent_encoding.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>

namespace squall::http {
namespace {

constexpr bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '~';
}
constexpr auto kValueTable = detail::table(is_unreserved);
constexpr auto kPathTable = detail::table([](char c) { return is_unreserved(c) || c == '/'; });

}  // namespace

bool is_percent_escape(std::string_view text, std::size_t at) noexcept {
  return text.size() - at >= 3 && text[at] == '%' && hex_value(text[at + 1]) >= 0 &&
         hex_value(text[at + 2]) >= 0;
}

void append_percent_escape(std::string& to, unsigned char byte) {
  to.append({'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]});
}

void append_percent_encoded(std::string& to, std::string_view text, const std::array<bool, 256>& legal) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (legal[byte]) {
      to += c;
    } else {
      append_percent_escape(to, byte);
    }
  }
}

std::string percent_decode(std::string_view text, Plus plus) {
  std::string decoded(text);
  const std::string_view special = plus == Plus::is_space ? "%+" : "%";
  std::size_t from = std::min(text.find_first_of(special), text.size());
  char* to = decoded.data() + from;
  while (from < text.size()) {
    const char c = text[from++];
    if (is_percent_escape(text, from - 1)) {
      *to++ = static_cast<char>(hex_value(text[from]) * 16 + hex_value(text[from + 1]));
      from += 2;
    } else {
      *to++ = c == '+' && plus == Plus::is_space ? ' ' : c;
    }
  }
  decoded.resize(static_cast<std::size_t>(to - decoded.data()));
  return decoded;
}

std::string url_escape(std::string_view text, Plus plus) {
  std::string escaped;
  escaped.reserve(text.size());
  if (plus == Plus::is_plus) {
    append_percent_encoded(escaped, text, kPathTable);
    return escaped;
  }
  for (std::size_t space = 0; !text.empty(); text.remove_prefix(std::min(space + 1, text.size()))) {
    space = std::min(text.find(' '), text.size());
    append_percent_encoded(escaped, text.substr(0, space), kValueTable);
    if (space < text.size()) escaped += '+';
  }
  return escaped;
}

}  // namespace squall::http
