#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace squall::web::detail {

// A URL in plain text, by offsets.
struct FoundURL {
  std::size_t begin;
  std::size_t end;
  std::string_view protocol;  // empty for `www.`
  std::size_t prefix;         // the length of protocol, colon and slashes
  // Whether the protocol has characters outside ASCII before `begin`: no protocol that anybody permits.
  bool has_foreign_protocol;
};

// Finds the URLs of a text, from left to right. A URL is the longest text of this form that begins at the
// edge of a word:
//
//     url      = prefix 1*( run / "(" *part ")" )
//     prefix   = protocol ":" 1*3"/" / "www."
//     protocol = 1*( letter / digit / "_" / "-" )
//     part     = no space, parenthesis, angle bracket or `'`
//     run      = *part, the last of which is no ASCII punctuation but `-`, `/`, `\` or `_`
//
// The scanner looks for the `:` and the `.` first, and then for the word before them, so it passes over each
// byte a few times at most.
class URLScanner {
 public:
  explicit URLScanner(std::string_view text) noexcept : text_(text) {}

  std::optional<FoundURL> next() noexcept;

 private:
  std::optional<FoundURL> with_protocol(std::size_t colon) const noexcept;
  std::optional<FoundURL> with_www(std::size_t dot) const noexcept;
  std::size_t word_begin(std::size_t end) const noexcept;
  bool is_behind_unicode_word(std::size_t at) const noexcept;

  std::string_view text_;
  std::size_t from_ = 0;  // the end of the last URL
  std::size_t at_ = 0;
};

}  // namespace squall::web::detail
