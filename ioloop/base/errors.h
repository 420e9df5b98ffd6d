#pragma once

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

namespace squall {

// A deadline passed before the work was done. Base class of every timeout error of the layers above.
//
// The base class is virtual, so that a timeout error of another hierarchy can derive from both and is still
// one std::exception: class HTTPTimeoutError : public HTTPClientError, public TimeoutError. HTTPClientError
// then needs the same virtual base, and the constructors of derived classes pass their text to
// std::runtime_error.
class TimeoutError : public virtual std::runtime_error {
 public:
  TimeoutError() : TimeoutError("Timeout") {}
  explicit TimeoutError(const std::string& text) : std::runtime_error(text) {}
  // Copied, never moved: a defaulted move would move the virtual base twice.
  TimeoutError(const TimeoutError&) = default;
  TimeoutError& operator=(const TimeoutError&) = default;
};

// The Promise was destroyed before it was set.
class BrokenPromise : public std::logic_error {
 public:
  BrokenPromise() : std::logic_error("Promise was destroyed before it was fulfilled") {}
};

class QueueFull : public std::runtime_error {
 public:
  QueueFull() : std::runtime_error("Queue is full") {}
};
class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : std::runtime_error("Queue is empty") {}
};
// The queue is closed: put() is refused, and get() finds the queue empty.
class QueueClosed : public std::runtime_error {
 public:
  QueueClosed() : std::runtime_error("Queue is closed") {}
};

// For a broken rule of the caller that release builds detect too. Out of line, because callers are inline.
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_logic_error(const char* what) {
  throw std::logic_error(what);
}

// Throws std::system_error for the current errno, naming the call that failed.
[[noreturn]] inline void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// In a `catch (...)`: the text of the exception, for the log. Valid until the catch block ends.
inline const char* current_what() noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "not a std::exception";
  }
}

// The text of a stored exception; `error` must not be null.
inline std::string error_text(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (...) {
    return current_what();
  }
}

}  // namespace squall
