#pragma once

#include <chrono>
#include <coroutine>
#include <typeinfo>

namespace squall {

// What the loop was running when it was held up: said by name in the log.
//
// A callback is known by the type of its closure, which tells the function it was written in; a handler by
// its function and descriptor; a task by the coroutine that the callback or handler resumed. Functions are
// named by symbol_name().
struct Culprit {
  const char* kind = "callback";  // or "timer", "handler"
  const std::type_info* closure = nullptr;
  const void* function = nullptr;   // its code, if it is no closure
  int fd = -1;                      // that it was called for
  const void* coroutine = nullptr;  // where the coroutine that was resumed goes on; null if none was
};

// Where a suspended coroutine goes on: the first word of its frame, with GCC and clang alike.
inline const void* resumption_of(std::coroutine_handle<> coroutine) noexcept {
  return *static_cast<const void* const*>(coroutine.address());
}

// Logs, as a warning of the application logger, what held the loop for how long.
void report_slow(const Culprit& culprit, std::chrono::nanoseconds held, std::chrono::nanoseconds threshold);

}  // namespace squall
