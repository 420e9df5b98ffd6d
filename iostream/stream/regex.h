#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace squall {

struct RegexOptions {
  // Whether a match may be a part of the text, or has to be all of it. `$` in the latter is the very end.
  enum class Extent : std::uint8_t { part, whole };

  Extent extent = Extent::part;
  // Steps of one search. A search that needs more fails: patterns with nested repetitions could otherwise
  // take exponential time. The default bounds a search to some tens of milliseconds.
  std::uint32_t max_steps = 1'000'000;
};

// A compiled regular expression over bytes, in PCRE2's syntax.
//
// IOStream::read_until_regex() calls search() on a stream's buffer. The end of a match must not depend on how
// the network cut the bytes, so a match that more bytes could extend, as `[0-9]+` at the end of the buffer,
// is not taken before they arrive or the stream ends. An expression with a definite end, as `\r?\n`, matches
// at once.
//
// The searches of one read cost linear time. A later search begins at the first byte where a match may begin,
// and there is none before required_byte() has come. An expression without such a byte, as `\w+\d`, may still
// be searched for from the same byte whenever bytes arrive. Then the read fails once its searches have looked
// at 64 MiB, and at each received byte 4096 times on average.
//
// Thread:    any; several threads may use one object at a time.
// Memory:    a search takes at most 8 MiB of stack memory and 64 MiB of heap, and gives both back.
// Source:    IOS-23; RTE-05 for match().
class Regex {
 public:
  using Extent = RegexOptions::Extent;
  using Options = RegexOptions;
  // The text of each group, views into the searched text; none for a group that is not part of the match.
  using Groups = std::vector<std::optional<std::string_view>>;

  // Throws std::invalid_argument with the reason and its offset in the pattern.
  explicit Regex(std::string_view pattern, const Options& options = Options());
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // Groups in the pattern, and how many of them have names.
  std::size_t groups() const noexcept;
  std::size_t named_groups() const noexcept;
  // A byte that every match contains or is followed by, as the `\n` of `[^\n]*\n`; nullopt if none is known.
  std::optional<char> required_byte() const noexcept;

  enum class Outcome : std::uint8_t { match, more, none, too_complex };
  struct Found {
    Outcome outcome;
    // For `match`: the end of the match. For `more`: the first byte where a match may begin.
    std::size_t position = 0;
  };
  // Finds the first match that begins at `from` or later. Lookbehinds and anchors see the bytes before
  // `from`. `more` occurs only without `at_end`, `none` only with it; `too_complex` after max_steps, or
  // without memory.
  Found search(std::string_view bytes, std::size_t from, bool at_end) const noexcept;

  // Whether the text matches; fills `groups` if so, and keeps its capacity. False after max_steps too. Throws
  // std::bad_alloc.
  bool match(std::string_view text, Groups& groups) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace squall
