#include <squall/web/routing/route_pattern.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/web/routing/path_spelling.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

// The pattern without its anchors.
std::string_view without_anchors(std::string_view pattern) {
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  if (pattern.ends_with('$') && !pattern.ends_with("\\$")) pattern.remove_suffix(1);
  return pattern;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) http::append_percent_escape(result, static_cast<unsigned char>(c));
  return result;
}

// The size of `{2,5}` at the beginning of `text`; 0 if the brace is a character of its own.
std::size_t size_of_count(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789, ", 1);
  return end != text.npos && end > 1 && text[end] == '}' ? end + 1 : 0;
}

}  // namespace

// Reads the text of a pattern once, item by item. The reader finds the groups, the alternatives and the
// ordinary characters, and knows only this part of PCRE2's syntax. It must not take a special character for
// an ordinary one: a prefix that is too long hides a route. Behind an unknown item the rest of the pattern is
// not read: see stop().
class RoutePattern::Reader {
 public:
  Reader(RoutePattern& to, std::string_view text) : to_(to), text_(text), texts_(1) {}

  [[gnu::cold]] void read() {
    while (at_ < text_.size()) read_item();
    if (!has_special_) {
      if (!literal_.starts_with('/')) throw std::invalid_argument("matches no path: a path begins with '/'");
      to_.literal_ = std::move(literal_);
    } else if (!refusal_.empty()) {
      throw std::invalid_argument(refusal_);
    } else if (!to_.prefix_.empty() && to_.prefix_.front() != '/') {
      throw std::invalid_argument("matches no path: a path begins with '/'");
    }
    if (is_reversible_) to_.texts_ = std::move(texts_);
  }

 private:
  [[gnu::cold]] void read_item() {
    switch (text_[at_]) {
      case '\\': return read_backslash();
      case '[': return read_class();
      case '(': return open_group();
      case ')':
        special(1);
        if (depth_ > 0 && --depth_ == 0) texts_.emplace_back();
        return;
      case '|':
        if (depth_ == 0) to_.prefix_.clear();
        return outside_special(1);
      case '*':
      case '+':
      case '?': return read_repetition(1);
      case '{':
        if (const std::size_t size = size_of_count(text_.substr(at_))) return read_repetition(size);
        return read_char(1);
      case '.':
      case '^':
      case '$': return outside_special(1);
      case '%': return read_percent(1);
      default: return read_char(1);
    }
  }

  // ---- Items that are not special.

  // The last of the next `size` bytes is an ordinary character.
  [[gnu::cold]] void read_char(std::size_t size) {
    const char c = text_[at_ + size - 1];
    if (is_path_char(c)) {
      ordinary(size, std::string_view(&text_[at_ + size - 1], 1));
    } else if (c == '%') {
      ordinary(size, "%", escaped("%"));
    } else {
      // The message has all bytes of letters outside ASCII.
      std::string_view letter = text_.substr(at_ + size - 1);
      const auto ascii = std::find_if(letter.begin() + 1, letter.end(), [](char b) { return !is_high(b); });
      letter = letter.substr(0, is_high(c) ? static_cast<std::size_t>(ascii - letter.begin()) : 1);
      refuse(at_ + size, fmt::format("matches no path: write '{}' as '{}'", letter, escaped(letter)));
      ordinary(size, std::string_view(&text_[at_ + size - 1], 1), escaped(std::string_view(&c, 1)));
    }
  }

  // `size` is 2 for a percent sign behind a backslash.
  [[gnu::cold]] void read_percent(std::size_t size) {
    const std::size_t percent = at_ + size - 1;
    if (!http::is_percent_escape(text_, percent)) return read_char(size);
    const std::string escape = with_one_spelling(text_.substr(percent, 3));
    const std::size_t behind = percent + 3;
    if (behind < text_.size() && is_one_of("*+?{", text_[behind]))
      throw std::invalid_argument(
          fmt::format("repeats only the last digit of an escape: write '(?:{})'", text_.substr(percent, 3)));
    if (escape.size() == 3) {
      to_.regex_ += escape;
    } else {
      to_.regex_ += fmt::format("\\x{:02x}", static_cast<unsigned char>(escape[0]));
    }
    add_ordinary(escape, escape);
    at_ = behind;
  }

  [[gnu::cold]] void ordinary(std::size_t size, std::string_view meaning) {
    ordinary(size, meaning, meaning);
  }
  // The next `size` bytes of the pattern mean `meaning`, which a path has as `spelling`.
  void ordinary(std::size_t size, std::string_view meaning, std::string_view spelling) {
    add_ordinary(meaning, spelling);
    copy(size);
  }
  [[gnu::cold]] void add_ordinary(std::string_view meaning, std::string_view spelling) {
    literal_ += spelling;
    if (depth_ == 0) texts_.back() += spelling;
    if (in_prefix_) to_.prefix_ += meaning;
    last_item_ = in_prefix_ ? meaning.size() : 0;
  }

  // ---- Special items.

  [[gnu::cold]] void copy(std::size_t size) {
    to_.regex_ += text_.substr(at_, size);
    at_ = std::min(at_ + size, text_.size());
  }
  [[gnu::cold]] void special(std::size_t size) {
    has_special_ = true;
    in_prefix_ = false;
    last_item_ = 0;
    copy(size);
  }
  // A special item that cannot be reversed outside of a group.
  [[gnu::cold]] void outside_special(std::size_t size) {
    if (depth_ == 0) is_reversible_ = false;
    special(size);
  }
  [[gnu::cold]] void drop_last_item() {
    to_.prefix_.resize(to_.prefix_.size() - last_item_);
    last_item_ = 0;
  }
  [[gnu::cold]] void read_repetition(std::size_t size) {
    if (text_[at_] != '+') drop_last_item();
    outside_special(size);
  }
  // The rest of the pattern is for PCRE2 only. It may have alternatives, so that there is no prefix.
  [[gnu::cold]] void stop() {
    to_.prefix_.clear();
    is_reversible_ = false;
    special(text_.size() - at_);
  }

  [[gnu::cold]] void read_backslash() {
    if (at_ + 1 == text_.size()) return outside_special(1);
    const char c = text_[at_ + 1];
    if (c == '%') return read_percent(2);
    if (!is_alpha(c) && !is_digit(c)) return read_char(2);
    if (c == 'Q' || c == 'E' || c == 'c') return stop();
    if (is_one_of("atnrfehvs", c)) refuse(at_ + 2, fmt::format("matches no path: no path has '\\{}'", c));
    std::size_t size = 2;
    const char next = at_ + 2 < text_.size() ? text_[at_ + 2] : '\0';
    if (is_one_of("pPxoNkgX", c) && is_one_of("{<'", next)) {
      const std::size_t end = text_.find(next == '{' ? '}' : next == '<' ? '>' : '\'', at_ + 3);
      if (end == text_.npos) return stop();
      size = end + 1 - at_;
    }
    outside_special(size);
  }

  [[gnu::cold]] void read_class() {
    std::size_t end = at_ + 1;
    const bool is_negative = end < text_.size() && text_[end] == '^';
    if (is_negative) ++end;
    const std::size_t begin = end;
    bool has_path_chars = is_negative;
    for (;; ++end) {
      if (end >= text_.size()) return stop();  // an error, which PCRE2 reports
      const char c = text_[end];
      if (c == ']' && end > begin) break;
      has_path_chars = has_path_chars || is_path_char(c) || is_one_of("\\-[%", c);
      if (c == '\\') {
        if (++end >= text_.size() || is_one_of("QEc", text_[end])) return stop();
      } else if (c == '[' && end + 1 < text_.size() && is_one_of(":.=", text_[end + 1])) {
        const std::size_t name_end = text_.find_first_of("[]\\", end + 2);
        if (name_end == text_.npos || text_[name_end] != ']') return stop();
        if (text_[name_end - 1] == text_[end + 1]) end = name_end;
      }
    }
    if (!has_path_chars) refuse(end + 1, "matches no path: no path has a character of the class");
    outside_special(end + 1 - at_);
  }

  [[gnu::cold]] void open_group() {
    if (depth_ > 0) is_reversible_ = false;
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("(*")) return stop();
    if (!rest.starts_with("(?")) return open(1);
    const std::size_t name = rest.starts_with("(?P<") ? 4 : 3;
    const bool is_named = name == 4 || rest.starts_with("(?'") ||
                          (rest.starts_with("(?<") && rest.size() > 3 && !is_one_of("=!", rest[3]));
    if (is_named) {
      const std::size_t end = rest.find_first_of(">'", name);
      return end == rest.npos ? stop() : open(end + 1);
    }
    drop_last_item();  // it is repeated if `rest` is a comment with a repetition behind it
    is_reversible_ = false;
    if (rest.starts_with("(?#")) return special(std::min(rest.find(')'), rest.size() - 1) + 1);
    // A lookaround may exclude a character that no path has.
    if (rest.find_first_of("=!<") == 2) may_refuse_ = false;
    if (rest.starts_with("(?<")) return open(4);  // a lookbehind
    const std::size_t end = rest.find_first_not_of(kGroupHead, 2);
    // With the option x, blanks and comments have no meaning.
    if (end == rest.npos || rest.substr(2, end - 2).find('x') != rest.npos) return stop();
    if (is_one_of(":=!>|", rest[end])) return open(end + 1);
    return is_one_of("()", rest[end]) ? open(end) : stop();
  }
  [[gnu::cold]] void open(std::size_t size) {
    ++depth_;
    special(size);
  }

  // The pattern has an item that no path has; `behind` is the offset behind the item.
  [[gnu::cold]] void refuse(std::size_t behind, std::string reason) {
    const std::string_view rest = text_.substr(std::min(behind, text_.size()));
    const bool may_be_missing =
        rest.starts_with('?') || rest.starts_with('*') || rest.starts_with("{0") || rest.starts_with("{,");
    if (may_refuse_ && refusal_.empty() && !may_be_missing) refusal_ = std::move(reason);
  }

  static bool is_high(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }
  static bool is_one_of(std::string_view set, char c) noexcept { return set.find(c) != set.npos; }

  // Between `(?` and the end of its head: options, numbers and names.
  static constexpr std::string_view kGroupHead =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_&^+-";

  RoutePattern& to_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;  // of groups
  bool has_special_ = false;
  bool is_reversible_ = true;
  bool in_prefix_ = true;
  bool may_refuse_ = true;
  std::size_t last_item_ = 0;  // bytes of the last item at the end of the prefix
  std::string literal_;
  std::vector<std::string> texts_;
  std::string refusal_;
};

RoutePattern::RoutePattern(std::string_view pattern) : pattern_(pattern) {
  try {
    Reader(*this, without_anchors(pattern)).read();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("route '{}' {}", pattern, error.what()));
  }
}

std::string RoutePattern::reverse(std::span<const std::string> arguments) const {
  if (!texts_) throw std::invalid_argument(fmt::format("Cannot reverse url regex {}", pattern_));
  if (arguments.size() + 1 != texts_->size())
    throw std::invalid_argument(
        fmt::format("required number of arguments not found: route '{}' has {} groups, not {}", pattern_,
                    texts_->size() - 1, arguments.size()));
  std::string path = texts_->front();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    path += http::url_escape(arguments[i], http::Plus::is_plus);
    path += (*texts_)[i + 1];
  }
  return path;
}

}  // namespace squall::web
