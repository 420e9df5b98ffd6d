#include <squall/web/template/script_context.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace squall::web::detail {
namespace {

constexpr std::size_t kMostBraces = 200;
constexpr std::size_t kLongestKeyword = 10;

// Behind these words a `/` begins a regular expression.
constexpr std::array<std::string_view, 14> kOperatorWords = {"return", "typeof", "case",  "in",        "of",
                                                             "delete", "void",   "new",   "do",        "else",
                                                             "throw",  "yield",  "await", "instanceof"};

bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void ScriptContext::read(char c) {
  switch (place_) {
    case Place::code: return read_code(c);
    case Place::slash: return read_slash(c);
    case Place::double_quoted:
    case Place::single_quoted:
    case Place::template_text:
    case Place::template_dollar: return read_quoted(c);
    case Place::regex:
    case Place::regex_class: return read_regex(c);
    case Place::line_comment:
      if (c == '\n' || c == '\r') place_ = Place::code;
      return;
    case Place::block_comment:
    case Place::block_comment_star:
      if (c == '/' && place_ == Place::block_comment_star) {
        place_ = Place::code;
      } else {
        place_ = c == '*' ? Place::block_comment_star : Place::block_comment;
      }
      return;
    case Place::unknown: return;
  }
}

void ScriptContext::read_code(char c) {
  if (is_word_character(c)) {
    if (word_.size() <= kLongestKeyword) word_ += c;
    last_ = Last::operand;
    return;
  }
  if (!word_.empty()) {
    if (std::find(kOperatorWords.begin(), kOperatorWords.end(), word_) != kOperatorWords.end())
      last_ = Last::operation;
    word_.clear();
  }
  switch (c) {
    case ' ':
    case '\t':
    case '\n':
    case '\r': return;
    case '/': place_ = Place::slash; return;
    case '"': place_ = Place::double_quoted; return;
    case '\'': place_ = Place::single_quoted; return;
    case '`': place_ = Place::template_text; return;
    case '{':
    case '}': return read_brace(c);
    case ')':
    case ']': last_ = Last::operand; return;
    default: last_ = Last::operation;
  }
}

void ScriptContext::read_brace(char c) {
  if (c == '{') {
    last_ = Last::operation;
    open_ += '{';
    if (open_.size() > kMostBraces) place_ = Place::unknown;
    return;
  }
  // The end of a block or of an object.
  last_ = Last::ambiguous;
  if (open_.empty()) return;
  if (open_.back() == '$') place_ = Place::template_text;
  open_.pop_back();
}

void ScriptContext::read_slash(char c) {
  if (c == '/') {
    place_ = Place::line_comment;
  } else if (c == '*') {
    place_ = Place::block_comment;
  } else if (last_ == Last::ambiguous) {
    place_ = Place::unknown;
  } else if (last_ == Last::operation) {
    place_ = Place::regex;
    read_regex(c);
  } else {
    place_ = Place::code;
    last_ = Last::operation;
    read_code(c);
  }
}

void ScriptContext::read_quoted(char c) {
  const bool is_dollar = place_ == Place::template_dollar;
  if (is_dollar) place_ = Place::template_text;
  if (is_escaped_) {
    is_escaped_ = false;
    return;
  }
  if (c == '\\') {
    is_escaped_ = true;
    return;
  }
  const bool is_template = place_ == Place::template_text;
  const char quote = is_template ? '`' : place_ == Place::double_quoted ? '"' : '\'';
  // Without its quote a string ends with its line.
  if (c == quote || (c == '\n' && !is_template)) {
    place_ = Place::code;
    last_ = Last::operand;
  } else if (is_template && is_dollar && c == '{') {
    open_ += '$';
    place_ = open_.size() > kMostBraces ? Place::unknown : Place::code;
    last_ = Last::operation;
  } else if (is_template && c == '$') {
    place_ = Place::template_dollar;
  }
}

void ScriptContext::read_regex(char c) {
  if (is_escaped_) {
    is_escaped_ = false;
  } else if (c == '\\') {
    is_escaped_ = true;
  } else if (c == '\n' || (c == '/' && place_ == Place::regex)) {
    place_ = Place::code;
    last_ = Last::operand;
  } else if (c == '[') {
    place_ = Place::regex_class;
  } else if (c == ']') {
    place_ = Place::regex;
  }
}

void ScriptContext::skip_value() {
  word_.clear();
  last_ = Last::operand;
}

const char* ScriptContext::problem() const noexcept {
  switch (place_) {
    case Place::code: return nullptr;
    case Place::double_quoted:
    case Place::single_quoted:
      return "a value cannot stand within a string of a script: write it without the quotes, since {{ }} "
             "writes JSON";
    case Place::template_text:
    case Place::template_dollar:
      return "a value cannot stand within a template literal of a script: put it into ${ }";
    case Place::line_comment:
    case Place::block_comment:
    case Place::block_comment_star: return "a value cannot stand in a comment of a script";
    default: return "a value cannot stand here in a script: put it into a variable before";
  }
}

bool ScriptContext::merge(const ScriptContext& other) {
  ScriptContext one = *this;
  ScriptContext two = other;
  if (one.last_ != two.last_ || one.word_ != two.word_) {
    one.forget_last();
    two.forget_last();
  }
  if (one != two) return false;
  *this = one;
  return true;
}

void ScriptContext::forget_last() {
  last_ = Last::ambiguous;
  word_.clear();
}

}  // namespace squall::web::detail
