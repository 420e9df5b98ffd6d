#include <squall/ioloop/coro/periodic_callback.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>

namespace squall {
namespace detail {

IOLoop::TimePoint next_beat(IOLoop::TimePoint due, IOLoop::TimePoint now,
                            IOLoop::Duration interval) noexcept {
  if (due <= now) {
    const IOLoop::Duration late = saturating_subtract(now, due);
    due += late - late % interval;
  }  // otherwise the clock went back, or the timer fired early
  return saturating_add(due, interval);
}

IOLoop::Duration vary_interval(IOLoop::Duration interval, double jitter, double random) noexcept {
  if (jitter == 0) return interval;
  const double factor = 1 + jitter * (random - 0.5);
  const double varied = std::round(static_cast<double>(interval.count()) * factor);
  const TimeSpan span = std::chrono::duration<double, std::nano>(varied);  // may be longer than the longest
  return std::max<IOLoop::Duration>(span, IOLoop::Duration(1));
}

}  // namespace detail

// The state of a PeriodicCallback. It outlives a PeriodicCallback that is destroyed by its own function.
//
// call        | means                                             | ended by              | next
// none        | no call: a timer is set while running             | beat()                | function
// function    | the function, or the destructor of its task that  | a task that begins    | task_begins
//             | has ended, is on the stack                        | its return            | none
// task_begins | the function's task is on the stack               | the task's end        | function
//             |                                                   | the task's first wait | task_waits
// task_waits  | the task waits                                    | the task's end        | none
// abandoned   | destroyed while the function or its task was on   | the function's return | -
//             | the stack                                         |                       |
class PeriodicCallback::Run final : detail::TaskOwner {
 public:
  Run(IOLoop::Duration interval, Options options) noexcept : interval_(interval), jitter_(options.jitter) {}
  ~Run() { stop(); }

  void start() {
    if (running_) return;
    loop_ = IOLoop::current();
    if (jitter_ != 0) random_.seed(std::random_device()());
    due_ = (*loop_)->now();
    // Otherwise the end of the present call sets the timer.
    if (call_ == Call::none) schedule();
    running_ = true;
  }
  void stop() noexcept {
    if (!std::exchange(running_, false)) return;
    (*loop_)->remove_timeout(timer_);
    soon_.unlink();
  }
  bool running() const noexcept { return running_; }
  void destroy() noexcept {
    stop();
    if (call_ == Call::function || call_ == Call::task_begins) {
      call_ = Call::abandoned;  // beat() is on the stack, and deletes this object
    } else {
      delete this;
    }
  }

  Callback call;  // declared before the task, which may refer to its captures
  Task<> task;    // of the last call

 private:
  enum class Call : std::uint8_t { none, function, task_begins, task_waits, abandoned };

  void schedule() {
    const double random = std::uniform_real_distribution<double>()(random_);
    due_ = detail::next_beat(due_, (*loop_)->now(), detail::vary_interval(interval_, jitter_, random));
    timer_ = (*loop_)->call_at(due_, [this] { beat(); });
  }
  // In a later turn: a task that has just ended is still on the stack, and must not be destroyed.
  void schedule_soon() noexcept {
    if (running_) (*loop_)->call_soon(soon_);
  }
  void schedule_next() noexcept {
    call_ = Call::function;
    task.reset();  // destructors of its parameters may stop or destroy the PeriodicCallback
    if (call_ == Call::abandoned) return delete this;
    call_ = Call::none;
    if (!running_) return;
    try {
      schedule();
    } catch (const std::bad_alloc&) {
      (*loop_)->call_soon(soon_);  // the beats go on once there is memory
    }
  }

  void beat() {
    call_ = Call::function;
    try {
      task.reset();
      call();
      if (task) {
        task.check_startable();
        if (call_ == Call::function) call_ = Call::task_begins;
        task.start(*this);
      }
    } catch (...) {
      report();
    }
    if (call_ == Call::abandoned) {
      delete this;
    } else if (call_ == Call::task_begins) {
      call_ = Call::task_waits;
    } else {
      call_ = Call::none;
      schedule_soon();
    }
  }
  std::coroutine_handle<> task_ended(std::size_t) noexcept override {
    try {
      task.result();
    } catch (...) {
      report();
    }
    if (call_ == Call::task_begins) {
      call_ = Call::function;
    } else if (call_ == Call::task_waits) {
      call_ = Call::none;
      schedule_soon();
    }
    return std::noop_coroutine();
  }
  // Called in a catch block.
  static void report() noexcept {
    try {
      throw;
    } catch (...) {
      log::application().error("Exception in callback: {}", current_what());
    }
  }

  std::optional<LoopRef> loop_;  // empty before start()
  IOLoop::Duration interval_;
  double jitter_;
  IOLoop::TimePoint due_;
  Timeout timer_;
  LoopHook soon_{[](void* self) { static_cast<Run*>(self)->schedule_next(); }, this};
  bool running_ = false;
  Call call_ = Call::none;
  std::minstd_rand random_;
};

PeriodicCallback::~PeriodicCallback() = default;
void PeriodicCallback::Discard::operator()(Run* run) const noexcept { run->destroy(); }
void PeriodicCallback::start() { run_->start(); }
void PeriodicCallback::stop() noexcept { run_->stop(); }
bool PeriodicCallback::is_running() const noexcept { return run_->running(); }
void PeriodicCallback::set_call(Callback call) noexcept { run_->call = std::move(call); }
Task<>* PeriodicCallback::task() noexcept { return &run_->task; }

PeriodicCallback::RunPointer PeriodicCallback::make_run(TimeSpan interval, Options options) {
  if (interval <= interval.zero())
    throw std::invalid_argument("Periodic callback must have a positive callback_time");
  if (!(options.jitter >= 0 && options.jitter <= 1))
    throw std::invalid_argument("Periodic callback must have a jitter between 0 and 1");
  return RunPointer(new Run(interval, options));
}

}  // namespace squall
