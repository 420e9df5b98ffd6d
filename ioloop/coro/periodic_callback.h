#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace squall {

// Calls a function at a fixed interval; the first call is one interval after start() (IOL-60 to IOL-67).
//
//     PeriodicCallback heartbeat(30s, [&] { ping(); });
//     heartbeat.start();
//
// Calls are due at the time of start() plus n intervals, so they do not drift: if a call is late, or takes
// longer than the interval, calls are skipped. The function may return a Task<>, which runs to its end; calls
// that become due meanwhile are skipped. Calls never overlap.
//
// Thread:    the thread of the loop that is current in start().
// Lifetime:  borrows that loop until stop() or the destructor, which stops the calls and cancels a running
//            task, so captures of the function need not outlive this object. The function may destroy this
//            object, and its task may do so before its first co_await. Later the task must call stop() and
//            end.
// Errors:    exceptions from the function or its task are logged, and the next call takes place.
class PeriodicCallback {
 public:
  struct Options {
    double jitter = 0;  // between 0 and 1: 0.1 varies each interval by up to 5 % either way
  };

  // Does not start. Throws std::invalid_argument unless `interval` is positive and the jitter is in bounds.
  template <class Function>
  PeriodicCallback(TimeSpan interval, Function function, Options options)
      : run_(make_run(interval, options)) {
    using Result = std::invoke_result_t<Function&>;
    static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>,
                  "a periodic callback returns nothing, or a Task<>");
    if constexpr (std::is_void_v<Result>) {
      set_call(std::move(function));
    } else {
      set_call([this_task = task(), function = std::move(function)]() mutable { *this_task = function(); });
    }
  }
  template <class Function>
  PeriodicCallback(TimeSpan interval, Function function)
      : PeriodicCallback(interval, std::move(function), Options()) {}
  ~PeriodicCallback();
  PeriodicCallback(const PeriodicCallback&) = delete;
  PeriodicCallback& operator=(const PeriodicCallback&) = delete;

  // The first call is due one interval from now. Does nothing if is_running().
  void start();
  // No call begins after this. A running task continues to its end. start() and stop() may be called from the
  // function and its task.
  void stop() noexcept;
  bool is_running() const noexcept;

 private:
  class Run;
  struct Discard {
    void operator()(Run* run) const noexcept;
  };
  using RunPointer = std::unique_ptr<Run, Discard>;

  static RunPointer make_run(TimeSpan interval, Options options);
  void set_call(Callback call) noexcept;
  Task<>* task() noexcept;  // where the task of a call is stored

  RunPointer run_;
};

namespace detail {

// The time of the next call after the one at `due` (IOL-63, IOL-64).
IOLoop::TimePoint next_beat(IOLoop::TimePoint due, IOLoop::TimePoint now, IOLoop::Duration interval) noexcept;
// `interval` varied by a random number from 0 up to 1 (IOL-65).
IOLoop::Duration vary_interval(IOLoop::Duration interval, double jitter, double random) noexcept;

}  // namespace detail

}  // namespace squall
