#pragma once

#include <squall/ioloop/loop/loop_hook.h>

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace squall {

class Regex;
namespace detail {
class StreamReader;
}

// Bytes in a stream's buffer, valid until the next read on the stream. Converts to a std::string, which keeps
// them.
class ReadView : public std::string_view {
 public:
  constexpr ReadView(std::string_view bytes) noexcept : std::string_view(bytes) {}
  operator std::string() const { return std::string(data(), size()); }
};

// A read that may wait: the result of IOStream's read functions.
//
// The read first takes bytes from the stream's buffer, then tries a system call if more bytes may have
// arrived. It waits only if the bytes are too few.
//
// Lifetime:  borrows the stream, which may be destroyed while the read waits, and the delimiter or the regex.
//            Destroying the awaiter withdraws the read: no byte is lost, and the stream can be read again.
//            May be moved until it is awaited.
class [[nodiscard]] ReadAwaiter {
 public:
  enum class Kind : std::uint8_t { some, some_nothrow, bytes, until, until_regex, until_close, into };
  static constexpr bool kBorrowsArguments = true;

  // Made by IOStream.
  ReadAwaiter(detail::StreamReader& reader, Kind kind, std::size_t amount,
              std::string_view delimiter = {}) noexcept
      : reader_(&reader), kind_(kind), amount_(amount), delimiter_(delimiter) {}
  ReadAwaiter(detail::StreamReader& reader, const Regex& regex, std::size_t max_bytes) noexcept
      : reader_(&reader), kind_(Kind::until_regex), amount_(max_bytes), regex_{&regex, 0, 0} {}
  ReadAwaiter(ReadAwaiter&& other) noexcept
      : reader_(other.reader_), kind_(other.kind_), amount_(other.amount_), delimiter_() {
    assert(!other.waiting_ && other.outcome_ == Outcome::pending && "this read has begun");
    if (kind_ == Kind::until_regex) {
      regex_ = other.regex_;
    } else {
      delimiter_ = other.delimiter_;
    }
  }
  ReadAwaiter& operator=(ReadAwaiter&&) = delete;
  ~ReadAwaiter() {
    if (waiting_) withdraw();
  }

  bool await_ready();
  void await_suspend(std::coroutine_handle<> reader);
  ReadView await_resume();
  // For code that is no coroutine: takes the place of await_suspend(). `function` is called with `context`
  // when the read is over, from the loop, and calls await_resume().
  void call_when_over(LoopHook::Function function, void* context);

 protected:
  friend class detail::StreamReader;
  enum class Outcome : std::uint8_t { pending, bytes, failed };
  enum class Ended : std::uint8_t { no, yes };
  struct RegexSearch {
    const Regex* regex;
    std::size_t seen;     // before it, from `scanned_` on, the regex's required byte does not occur
    std::uint64_t looks;  // the sum of the bytes of all searches
  };

  // Whether the bytes satisfy the read. `too_long`: not within its limit.
  enum class Search : std::uint8_t { found, more, too_long, too_complex };
  // Searches `bytes`, the whole buffer, and sets the outcome if it finds a match. `Ended::yes`: no more
  // bytes come.
  Search search_regex(std::string_view bytes, Ended ended);
  // The text for the log of a search that ended as `too_long` or `too_complex`.
  std::string describe(Search search, std::size_t searched) const;

  bool succeed(std::size_t count) noexcept {
    amount_ = count;
    outcome_ = Outcome::bytes;
    return true;
  }
  bool fail() noexcept {
    outcome_ = Outcome::failed;
    return true;
  }
  // Throws if the read failed.
  void take_outcome() {
    if (waiting_ || outcome_ != Outcome::bytes) take_outcome_slowly();
  }
  void take_outcome_slowly();
  void withdraw() noexcept;

  detail::StreamReader* reader_;  // null once the stream is gone
  LoopHook resume_;               // linked once it is in the loop's ready queue
  Kind kind_;
  Outcome outcome_ = Outcome::pending;
  bool waiting_ = false;  // this read is the waiting read of `reader_`
  std::size_t amount_;  // before the outcome: the limit or the exact count, by kind; then the count of bytes
  std::size_t scanned_ = 0;  // the count of bytes that were searched without a match
  union {
    std::string_view delimiter_;
    RegexSearch regex_;  // of Kind::until_regex
  };
};

// A read into the caller's memory: gives the count of bytes.
class [[nodiscard]] ReadIntoAwaiter : public ReadAwaiter {
 public:
  // Made by IOStream. Ends with at least `least` bytes.
  ReadIntoAwaiter(detail::StreamReader& reader, std::span<char> space, std::size_t least) noexcept
      : ReadAwaiter(reader, Kind::into, least), space_(space) {}
  ReadIntoAwaiter(ReadIntoAwaiter&& other) noexcept : ReadAwaiter(std::move(other)), space_(other.space_) {}
  ~ReadIntoAwaiter();
  std::size_t await_resume();

 private:
  friend class detail::StreamReader;

  std::span<char> rest() const noexcept { return space_.subspan(filled_); }

  std::span<char> space_;
  std::size_t filled_ = 0;  // the count of bytes in `space_`; they go back to the stream if the read fails
};

}  // namespace squall
