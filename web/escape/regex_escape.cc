#include <squall/web/escape/regex_escape.h>

#include <squall/ioloop/base/ascii.h>

#include <cstddef>

namespace squall::web {

std::string re_escape(std::string_view text) {
  constexpr std::string_view kSpecial = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f";
  std::string pattern;
  pattern.reserve(text.size());
  for (const char c : text) {
    if (kSpecial.find(c) != kSpecial.npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

std::optional<std::string> re_unescape(std::string_view pattern) {
  std::string text;
  text.reserve(pattern.size());
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
      if (at == pattern.size() || is_alpha(pattern[at]) || is_digit(pattern[at])) return std::nullopt;
    }
    text += pattern[at];
  }
  return text;
}

}  // namespace squall::web
