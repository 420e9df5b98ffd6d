#include <squall/options/quote.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>

#include <algorithm>
#include <cstddef>

namespace squall::options {

std::string quote(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string quoted = "'";
  std::size_t at = 0;
  while (at < std::min(text.size(), kMost)) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length > 0) {
      quoted += escape_controls(text.substr(at, length));
    } else {
      quoted += "\\x";
      append_lower_hex(quoted, text.substr(at, 1));
    }
    at += std::max<std::size_t>(length, 1);
  }
  quoted += '\'';
  if (at < text.size()) quoted += "...";
  return quoted;
}

}  // namespace squall::options
