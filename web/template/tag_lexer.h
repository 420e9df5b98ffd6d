#pragma once

#include <squall/web/template/source_text.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::web::detail {

// A piece of a template: text, or a tag without its braces.
struct Tag {
  enum class Kind : std::uint8_t {
    text,
    expression,  // {{ }}
    directive,   // {% %}
    end,         // of the file
  };
  Kind kind;
  std::size_t offset;        // of the piece
  std::string_view content;  // without spaces at both ends, for tags
  std::size_t content_offset = 0;
};

// Splits a template into text and tags. Comments are dropped, and `{{!`, `{%!` and `{#!` are text without the
// `!` (TPL-03, TPL-04). Of three or more `{` the innermost pair opens a tag (TPL-22). The end of a tag is not
// searched within its strings and braces, so `{{ {"a": {}} }}` and `{{ "}}" }}` are one tag each.
//
// Errors:    TemplateParseError for tags that are empty or have no end.
class TagLexer {
 public:
  explicit TagLexer(const SourceText& source) noexcept : source_(source) {}

  Tag next();

 private:
  std::size_t find_tag() const noexcept;
  std::size_t find_end(std::size_t from, std::string_view end) const noexcept;
  Tag text_until(std::size_t end) noexcept;
  Tag tag(Tag::Kind kind, std::string_view end, const char* missing, const char* empty);

  const SourceText& source_;
  std::size_t at_ = 0;
  bool is_literal_ = false;  // at_ is behind the opening of a `{{!`, which is still to be returned
};

}  // namespace squall::web::detail
