#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace squall {

// A regular expression over bytes, in PCRE2's syntax, for IOStream::read_until_regex().
//
// Where a match ends must not depend on how the bytes happened to arrive. So a match that could be longer, as
// `[0-9]+` at the end of what is there, is not taken before more bytes or the end of the stream have decided
// it. An expression that ends in something definite, as `\r?\n`, matches at once.
//
// Each search begins where the last one found that a match might. Say `[^\n]*\n` not, where `\n` will do: it
// may begin at the first byte, and so all of them are looked at again whenever some more arrive.
//
// Thread:    any; one object may be used by many at a time.
class Regex {
 public:
  // Throws std::invalid_argument, with the reason and where it is.
  explicit Regex(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  enum class Outcome : std::uint8_t { match, more, none, too_complex };
  struct Found {
    Outcome outcome;
    // Of a match: where it ends. With `more` bytes there may be one, which begins here or later.
    std::size_t position = 0;
  };
  // The first match in `bytes` that begins at `from` or later. What stands before that is still seen by
  // lookbehinds and anchors. `more` only if not `at_end`, `none` only if so; too_complex after a number of
  // steps that a sane expression never takes, or without memory.
  Found search(std::string_view bytes, std::size_t from, bool at_end) const noexcept;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace squall
