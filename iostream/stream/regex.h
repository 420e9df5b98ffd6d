#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace squall {

struct RegexOptions {
  // Whether a match may be a part of the text, or must be the whole text. With `whole`, `$` matches only at
  // the very end.
  enum class Extent : std::uint8_t { part, whole };

  Extent extent = Extent::part;
  // The steps that one search may take, in addition to eight steps for each byte of the text. A step is an
  // item of the expression that is tried at one place, or 16 bytes that an item passes over: 5 to 50
  // nanoseconds. The default bounds a search of 8 KiB to some milliseconds, whatever the expression.
  std::uint32_t max_steps = 100'000;
};

// A compiled regular expression over bytes, in PCRE2's syntax.
//
// IOStream::read_until_regex() calls search() on a stream's buffer. The end of a match must not depend on
// how the network cut the bytes. A match that more bytes could extend, such as `[0-9]+` at the end of the
// buffer, is not complete before more bytes arrive or the stream ends. An expression with a definite end,
// such as `\r?\n`, matches at once.
//
// The searches of one read take linear time. A later search begins at the first byte where a match may begin,
// and there is no search before required_byte() has arrived. An expression without such a byte, for example
// `\w+\d`, may be searched for from the same byte whenever bytes arrive. That read fails once its searches
// have compared 64 MiB, and each received byte 4096 times on average.
//
// Thread:    any; several threads may use one object at a time.
// Memory:    a search takes at most 8 MiB of stack memory; without PCRE2's JIT compiler, 64 MiB of heap. It
//            frees both.
// Source:    IOS-23; RTE-05 for match().
class Regex {
 public:
  using Extent = RegexOptions::Extent;
  using Options = RegexOptions;
  // The text of a group, a view into the searched text; nullopt for a group that is not part of the match.
  using Group = std::optional<std::string_view>;

  // Throws std::invalid_argument with the reason and its offset in the pattern.
  explicit Regex(std::string_view pattern, const Options& options = Options());
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // The number of groups in the pattern, and the number of named groups.
  std::size_t groups() const noexcept;
  std::size_t named_groups() const noexcept;
  // The name of each group, in the order of the groups; empty for a group without a name.
  std::span<const std::string> group_names() const noexcept;
  // A byte that every match contains or is followed by, as the `\n` of `[^\n]*\n`; nullopt if none is known.
  std::optional<char> required_byte() const noexcept;

  // `too_complex`: whether there is a match is not known, as the search took max_steps or had no memory.
  // Treat it as an error, never as `none`.
  enum class Outcome : std::uint8_t { match, more, none, too_complex };
  struct Found {
    Outcome outcome;
    // For `match`: the end of the match. For `more`: the first byte where a match may begin.
    std::size_t position = 0;
  };
  // Finds the first match that begins at `from` or later. Lookbehinds and anchors see the bytes before
  // `from`. `more` occurs only without `at_end`, `none` only with it.
  Found search(std::string_view bytes, std::size_t from, bool at_end) const noexcept;

  // Whether the text matches: `match`, `none` or `too_complex`. A match fills the first groups() elements of
  // `groups`, which must not be fewer.
  Outcome match(std::string_view text, std::span<Group> groups) const noexcept;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace squall
