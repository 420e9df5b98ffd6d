#include <squall/web/template/script_context.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace squall::web::detail {
namespace {

constexpr std::size_t kMostOpen = 200;
constexpr std::size_t kLongestKeyword = 10;

// Behind these words a `/` begins a regular expression.
constexpr std::array<std::string_view, 14> kOperatorWords = {"return", "typeof", "case",  "in",        "of",
                                                             "delete", "void",   "new",   "do",        "else",
                                                             "throw",  "yield",  "await", "instanceof"};

// Behind the parentheses of these statements too.
constexpr std::array<std::string_view, 4> kConditionWords = {"if", "while", "for", "with"};

template <std::size_t size>
bool has_word(const std::array<std::string_view, size>& words, std::string_view word) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_parenthesis(char c) noexcept { return c == '(' || c == 'c'; }

bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void ScriptContext::read(char c) {
  // CR LF is one end of a line, and so is CR.
  const bool is_rest = is_behind_cr_ && c == '\n';
  is_behind_cr_ = c == '\r';
  if (is_rest) return;
  if (c == '\r') c = '\n';
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
      if (c == '\n') place_ = Place::code;
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
  } else {
    if (!word_.empty()) end_word();
    read_symbol(c);
  }
  before_ = c;
}

void ScriptContext::end_word() {
  // The names of members may be keywords.
  const bool is_keyword = !is_member_;
  if (is_keyword && has_word(kOperatorWords, word_)) last_ = Last::operation;
  // Of `for await` too.
  is_condition_ = is_keyword && (has_word(kConditionWords, word_) || (is_condition_ && word_ == "await"));
  is_member_ = false;
  word_.clear();
}

void ScriptContext::read_symbol(char c) {
  if (c == ' ' || c == '\t' || c == '\n') return;
  if (c == '/') {
    place_ = Place::slash;
    return;
  }
  const bool is_spread = c == '.' && before_ == '.';
  is_member_ = (c == '.' && !is_spread) || c == '#';
  if (c != '(') is_condition_ = false;
  switch (c) {
    case '"': place_ = Place::double_quoted; return;
    case '\'': place_ = Place::single_quoted; return;
    case '`': place_ = Place::template_text; return;
    case '{':
    case '}': return read_brace(c);
    case '(':
    case ')': return read_parenthesis(c);
    case ']': last_ = Last::operand; return;
    case '+':
    case '-':
      // `a++ / b`, or `a + ++b`.
      last_ = before_ == c ? Last::ambiguous : Last::operation;
      return;
    case '.':
      // `1. / 2`
      last_ = before_ >= '0' && before_ <= '9' ? Last::ambiguous : Last::operation;
      return;
    default: last_ = Last::operation;
  }
}

void ScriptContext::open(char c) {
  last_ = Last::operation;
  open_ += c;
  if (open_.size() > kMostOpen) place_ = Place::unknown;
}

void ScriptContext::read_parenthesis(char c) {
  if (c == '(') {
    open(is_condition_ ? 'c' : '(');
    is_condition_ = false;
    return;
  }
  if (open_.empty() || !is_parenthesis(open_.back())) {
    last_ = Last::ambiguous;
    return;
  }
  last_ = open_.back() == 'c' ? Last::operation : Last::operand;
  open_.pop_back();
}

void ScriptContext::read_brace(char c) {
  if (c == '{') return open('{');
  // The end of a block or of an object.
  last_ = Last::ambiguous;
  while (!open_.empty() && is_parenthesis(open_.back())) open_.pop_back();
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
    is_member_ = is_condition_ = false;
    read_regex(c);
  } else {
    place_ = Place::code;
    last_ = Last::operation;
    is_member_ = is_condition_ = false;
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
    place_ = Place::code;
    before_ = 0;
    open('$');
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
  forget_last();
  last_ = Last::operand;
  before_ = '0';  // of a number
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
  if (one.open_ != two.open_) {
    std::erase_if(one.open_, is_parenthesis);
    std::erase_if(two.open_, is_parenthesis);
  }
  one.before_ = two.before_ = one.before_ == two.before_ ? one.before_ : '\0';
  one.is_member_ = two.is_member_ = one.is_member_ || two.is_member_;
  one.is_condition_ = two.is_condition_ = one.is_condition_ || two.is_condition_;
  if (one != two) return false;
  *this = one;
  return true;
}

void ScriptContext::forget_last() noexcept {
  last_ = Last::ambiguous;
  is_member_ = false;
  is_condition_ = false;
  before_ = 0;
  word_.clear();
}

}  // namespace squall::web::detail
