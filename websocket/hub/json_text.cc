#include <squall/websocket/hub/json_text.h>

#include <squall/ioloop/base/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace squall::websocket {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

void append_escaped(std::string& to, char c) {
  switch (c) {
    case '"': to += "\\\""; break;
    case '\\': to += "\\\\"; break;
    case '\b': to += "\\b"; break;
    case '\f': to += "\\f"; break;
    case '\n': to += "\\n"; break;
    case '\r': to += "\\r"; break;
    case '\t': to += "\\t"; break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<int>(c));
      } else {
        to += c;
      }
  }
}

// Removes the parts of a JSON text from its front. Each function returns false if the part is not there;
// take_scalar() and take_name() may then have removed a piece of it.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }
  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_space() noexcept {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size()));
  }
  // A string, a number or a word.
  bool take_scalar() noexcept {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '"': return take_string();
      case 't': return take_word("true");
      case 'f': return take_word("false");
      case 'n': return take_word("null");
      default: return take_number();
    }
  }
  // The name of an object's member, and the colon.
  bool take_name() noexcept {
    skip_space();
    if (!take_string()) return false;
    skip_space();
    return take(':');
  }

 private:
  bool take_word(std::string_view word) noexcept {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool take_digits() noexcept {
    const std::size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }
  bool take_number() noexcept {
    take('-');
    if (!take('0') && !take_digits()) return false;
    if (take('.') && !take_digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return take_digits();
  }
  bool take_string() noexcept {
    if (!take('"')) return false;
    while (!rest_.empty() && static_cast<unsigned char>(rest_.front()) >= 0x20) {
      if (take('"')) return true;
      const bool is_good = take('\\') ? take_escape() : take_character();
      if (!is_good) return false;
    }
    return false;
  }
  bool take_character() noexcept {
    const std::size_t length = utf8_length(rest_);
    rest_.remove_prefix(length);
    return length > 0;
  }
  // Behind the backslash.
  bool take_escape() noexcept {
    if (!take('u')) {
      if (rest_.find_first_of("\"\\/bfnrt") != 0) return false;
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.size() < 4 || rest_.substr(0, 4).find_first_not_of("0123456789abcdefABCDEF") != rest_.npos)
      return false;
    rest_.remove_prefix(4);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 1) {
      append_escaped(result, text.front());
    } else {
      result += length == 0 ? kReplacement : text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result += '"';
}

bool is_json(std::string_view text) {
  JsonScanner scanner(text);
  std::string open;  // the brackets that are open, by the brackets that close them
  for (;;) {
    scanner.skip_space();
    if (scanner.take('{')) {
      open += '}';
      scanner.skip_space();
      if (!scanner.take('}')) {
        if (!scanner.take_name()) return false;
        continue;
      }
      open.pop_back();
    } else if (scanner.take('[')) {
      open += ']';
      scanner.skip_space();
      if (!scanner.take(']')) continue;
      open.pop_back();
    } else if (!scanner.take_scalar()) {
      return false;
    }
    // Behind a value.
    for (scanner.skip_space(); !open.empty() && scanner.take(open.back()); scanner.skip_space())
      open.pop_back();
    if (open.empty()) return scanner.at_end();
    if (!scanner.take(',')) return false;
    if (open.back() == '}' && !scanner.take_name()) return false;
  }
}

}  // namespace squall::websocket
