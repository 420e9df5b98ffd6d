#include <squall/web/template/expression_lexer.h>

#include <squall/ioloop/base/read_number.h>
#include <squall/web/escape/code_point.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace squall::web::detail {
namespace {

constexpr std::array<std::string_view, 35> kSymbols = {
    "**=", "//=", "**", "//", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "+", "-", "*", "/", "%",
    "<",   ">",   "=",  "(",  ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",  "|",  "^", "&", "~", "@"};

bool is_name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_decimal(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_name_part(char c) noexcept { return is_name_start(c) || is_decimal(c); }

}  // namespace

ExpressionToken ExpressionLexer::next() {
  const std::size_t skip = std::min(rest().find_first_not_of(" \t\n\r\f\v"), rest().size());
  at_ += skip;
  ExpressionToken token;
  token.offset = at_;
  const std::string_view text = rest();
  if (text.empty()) return token;
  const char c = text.front();
  if (is_name_start(c)) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_name_part);
    token.kind = ExpressionToken::Kind::name;
    token.text = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    at_ += token.text.size();
    return token;
  }
  if (is_decimal(c) || (c == '.' && text.size() > 1 && is_decimal(text[1]))) return number();
  if (c == '"' || c == '\'') return string();
  for (const std::string_view symbol : kSymbols) {
    if (!text.starts_with(symbol)) continue;
    token.kind = ExpressionToken::Kind::symbol;
    token.text = symbol;
    at_ += symbol.size();
    return token;
  }
  source_.fail(at_, fmt::format("unexpected character '{}' in an expression", c));
}

ExpressionToken ExpressionLexer::number() {
  const std::string_view text = rest();
  ExpressionToken token{.kind = ExpressionToken::Kind::constant, .offset = at_};
  std::int64_t whole = 0;
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = is_hex ? text.substr(2) : text;
  auto read = std::from_chars(digits.data(), digits.data() + digits.size(), whole, is_hex ? 16 : 10);
  const bool is_fraction = !is_hex && read.ptr != text.data() + text.size() &&
                           (*read.ptr == '.' || *read.ptr == 'e' || *read.ptr == 'E');
  if (is_fraction || read.ptr == digits.data()) {
    double fraction = 0;
    read = read_number(text, fraction);
    token.value = fraction;
  } else {
    token.value = whole;
  }
  if (read.ec == std::errc::result_out_of_range) source_.fail(at_, "the number is beyond 64 bits");
  if (read.ec != std::errc{}) source_.fail(at_, "malformed number");
  at_ += static_cast<std::size_t>(read.ptr - text.data());
  if (at_ < end_ && is_name_part(source_.text[at_])) source_.fail(token.offset, "malformed number");
  return token;
}

ExpressionToken ExpressionLexer::string() {
  ExpressionToken token{.kind = ExpressionToken::Kind::constant, .offset = at_};
  const char quote = rest().front();
  std::string value;
  for (++at_;; ++at_) {
    if (at_ >= end_ || source_.text[at_] == '\n') source_.fail(token.offset, "the string has no end");
    const char c = source_.text[at_];
    if (c == quote) break;
    if (c == '\\' && at_ + 1 < end_) {
      append_escape(value);
    } else {
      value += c;
    }
  }
  ++at_;
  token.value = std::move(value);
  return token;
}

// At the backslash; at_ ends at the last character of the escape.
void ExpressionLexer::append_escape(std::string& to) {
  const std::size_t begin = at_;
  const char c = source_.text[++at_];
  constexpr std::string_view kNames = "ntrbfva0\\'\"";
  constexpr std::string_view kValues("\n\t\r\b\f\v\a\0\\'\"", 11);
  if (const std::size_t i = kNames.find(c); i != kNames.npos) {
    to += kValues[i];
    return;
  }
  const std::size_t length = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (length == 0) {
    to += '\\';
    to += c;
    return;
  }
  const std::string_view digits = rest().substr(1, length);
  std::uint32_t code = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (digits.size() != length || read.ptr != digits.data() + length || !is_scalar_value(code))
    source_.fail(begin, "malformed escape in a string");
  append_utf8(to, code);
  at_ += length;
}

}  // namespace squall::web::detail
