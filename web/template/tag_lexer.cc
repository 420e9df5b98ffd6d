#include <squall/web/template/tag_lexer.h>

namespace squall::web::detail {
namespace {

constexpr std::string_view kTagSpaces = " \t\n\r\f\v";

// Behind the string literal that begins at `at`; npos if its line ends first.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != '\n'; ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return text.npos;
}

}  // namespace

// The beginning of the next tag; the end of the text without one.
std::size_t TagLexer::find_tag() const noexcept {
  const std::string_view text = source_.text;
  for (std::size_t at = at_; (at = text.find('{', at)) != text.npos; ++at) {
    if (at + 1 >= text.size()) break;
    const char next = text[at + 1];
    if (next != '{' && next != '%' && next != '#') continue;
    if (next == '{' && at + 2 < text.size() && text[at + 2] == '{') continue;
    return at;
  }
  return text.size();
}

// The end of the tag's content; npos without one. An unclosed string or brace makes the first `end` the end:
// the parser of the expression then tells what is wrong.
std::size_t TagLexer::find_end(std::size_t from, std::string_view end) const noexcept {
  const std::string_view text = source_.text;
  const std::size_t first = text.find(end, from);
  if (first == text.npos || end == "#}") return first;
  std::size_t open = 0;
  for (std::size_t at = from; at < text.size();) {
    const char c = text[at];
    if (open == 0 && text.substr(at).starts_with(end)) return at;
    if (c == '"' || c == '\'') {
      at = skip_string(text, at);
      if (at == text.npos) return first;
      continue;
    }
    if (c == '{') ++open;
    if (c == '}') {
      if (open == 0) return first;
      --open;
    }
    ++at;
  }
  return first;
}

Tag TagLexer::text_until(std::size_t end) noexcept {
  Tag text{.kind = Tag::Kind::text,
           .offset = at_,
           .content = std::string_view(source_.text).substr(at_, end - at_)};
  text.content_offset = at_;
  at_ = end;
  return text;
}

Tag TagLexer::tag(Tag::Kind kind, std::string_view end, const char* missing, const char* empty) {
  const std::string_view text = source_.text;
  const std::size_t begin = at_;
  std::string_view peek = text.substr(begin + 2);
  peek.remove_prefix(std::min(peek.find_first_not_of(kTagSpaces), peek.size()));
  const bool is_comment = kind == Tag::Kind::directive && peek.starts_with("comment");
  const std::size_t close = is_comment ? text.find(end, begin + 2) : find_end(begin + 2, end);
  if (close == text.npos) source_.fail(begin, missing);
  std::string_view content = text.substr(begin + 2, close - begin - 2);
  const std::size_t first = content.find_first_not_of(kTagSpaces);
  if (first == content.npos && empty) source_.fail(begin, empty);
  at_ = close + 2;
  if (first == content.npos) return {kind, begin, {}, close};
  content = content.substr(first, content.find_last_not_of(kTagSpaces) - first + 1);
  return {kind, begin, content, begin + 2 + first};
}

Tag TagLexer::next() {
  for (;;) {
    const std::string_view text = source_.text;
    if (is_literal_) {
      is_literal_ = false;
      Tag literal = text_until(at_ + 2);
      ++at_;  // the `!`
      return literal;
    }
    if (at_ == text.size())
      return {.kind = Tag::Kind::end, .offset = at_, .content = {}, .content_offset = at_};
    const std::size_t begin = find_tag();
    if (begin < text.size() && begin + 2 < text.size() && text[begin + 2] == '!') is_literal_ = true;
    if (begin > at_) return text_until(begin);
    if (is_literal_) continue;
    switch (text[begin + 1]) {
      case '{': return tag(Tag::Kind::expression, "}}", "Missing end expression }}", "Empty expression");
      case '%': return tag(Tag::Kind::directive, "%}", "Missing end block %}", "Empty block tag ({% %})");
      default: tag(Tag::Kind::text, "#}", "Missing end comment #}", nullptr);
    }
  }
}

}  // namespace squall::web::detail
