#pragma once

#include <chrono>
#include <coroutine>
#include <typeinfo>

namespace squall {

// The callback, handler or task that held the loop for too long, for the log.
//
// A callback is named by the type of its closure, which contains the name of the enclosing function; a
// handler by its function and descriptor; a task by the coroutine that was resumed. symbol_name() gives the
// names of functions.
struct Culprit {
  const char* kind = "callback";  // "callback", "timer" or "handler"
  const std::type_info* closure = nullptr;
  const void* function = nullptr;   // the address of its code, if it is not a closure
  int fd = -1;                      // of a handler
  const void* coroutine = nullptr;  // resumption_of() the resumed coroutine; null if none was
};

// The address at which a suspended coroutine resumes: the first word of its frame, with both GCC and clang.
inline const void* resumption_of(std::coroutine_handle<> coroutine) noexcept {
  return *static_cast<const void* const*>(coroutine.address());
}

// Logs a warning to the application logger: what held the loop, and for how long.
void report_slow(const Culprit& culprit, std::chrono::nanoseconds held, std::chrono::nanoseconds threshold);

}  // namespace squall
