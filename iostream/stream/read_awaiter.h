#pragma once

#include <squall/ioloop/loop/loop_hook.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall {

class IOLoop;
class IOStream;
class Regex;

// Bytes in a stream's buffer, valid until the next read on the stream. Becomes a std::string for who keeps
// them.
class ReadView : public std::string_view {
 public:
  constexpr ReadView(std::string_view bytes) noexcept : std::string_view(bytes) {}
  operator std::string() const { return std::string(data(), size()); }
};

// A read that may wait: what IOStream's read functions return.
//
// Looks into the buffer first, then tries the system call if it may give something, and waits only if that
// was not enough. Destroying it while it waits withdraws the read: no byte is lost, and the stream can be
// read on.
class [[nodiscard]] ReadAwaiter {
 public:
  ReadAwaiter(const ReadAwaiter&) = delete;
  ReadAwaiter& operator=(const ReadAwaiter&) = delete;
  ~ReadAwaiter() {
    if (waiting_) withdraw();
  }

  bool await_ready();
  void await_suspend(std::coroutine_handle<> reader);
  ReadView await_resume();

 protected:
  friend class IOStream;
  enum class Kind : std::uint8_t { some, some_nothrow, bytes, until, until_regex, until_close, into };
  enum class Outcome : std::uint8_t { pending, bytes, failed };

  ReadAwaiter(IOStream& stream, Kind kind, std::size_t amount, std::string_view delimiter = {}) noexcept
      : stream_(&stream), kind_(kind), amount_(amount), delimiter_(delimiter) {}
  ReadAwaiter(IOStream& stream, const Regex& regex, std::size_t max_bytes) noexcept
      : stream_(&stream), kind_(Kind::until_regex), amount_(max_bytes), regex_(&regex) {}
  bool succeed(std::size_t count) noexcept {
    amount_ = count;
    outcome_ = Outcome::bytes;
    return true;
  }
  // Throws if it failed.
  void take_outcome() {
    if (waiting_ || outcome_ != Outcome::bytes) take_slowly();
  }
  void take_slowly();
  void withdraw() noexcept;

  IOStream* stream_;  // null once the stream is gone
  LoopHook resume_;   // linked once it is in the loop's ready queue
  Kind kind_;
  Outcome outcome_ = Outcome::pending;
  bool waiting_ = false;  // the stream has us as its reader
  std::size_t amount_;    // most or exactly so many bytes, by kind; once there are bytes: how many
  std::size_t scanned_ = 0;
  std::string_view delimiter_;
  const Regex* regex_ = nullptr;
};

// A read into the caller's memory: gives the count of bytes.
class [[nodiscard]] ReadIntoAwaiter : public ReadAwaiter {
 public:
  ~ReadIntoAwaiter();
  std::size_t await_resume();

 private:
  friend class IOStream;
  ReadIntoAwaiter(IOStream& stream, std::span<char> space, std::size_t least) noexcept
      : ReadAwaiter(stream, Kind::into, least), space_(space) {}

  std::span<char> rest() const noexcept { return space_.subspan(filled_); }

  std::span<char> space_;
  std::size_t filled_ = 0;  // of it, taken from the stream for good only once that is enough
};

}  // namespace squall
