#pragma once

#include <squall/ioloop/base/time_source.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/callback_queue.h>
#include <squall/ioloop/loop/descriptor_table.h>
#include <squall/ioloop/loop/handler_closure.h>
#include <squall/ioloop/loop/inbox.h>
#include <squall/ioloop/loop/loop_handle.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/ioloop/loop/loop_stats.h>
#include <squall/ioloop/loop/signal_awaiter.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/timer_heap.h>
#include <squall/ioloop/loop/watchdog.h>
#include <squall/ioloop/poller/poller.h>

#include <atomic>
#include <cassert>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall {

class ChildReaper;
class Executor;
class SignalHandlers;
class TaskGroup;

// An event loop: waits for descriptors, timers and callbacks, and runs what is due.
//
// One turn, in this order (IOL-20):
//   1. call the poller, which waits until the earliest timer, or does not wait if there is work; while
//      there are callbacks to run, the poller is called only once for every kUnpolled of them;
//   2. read the clock: time() stays the same for the rest of the turn;
//   3. run the callbacks that were queued by then, and no others (IOL-21); after Options::max_callback_time
//      the rest of them waits for the next turn;
//   4. dispatch the descriptors that are ready, in the poller's order;
//   5. run the timers that are due, earliest first;
//   6. run the end-of-turn work: corked streams send their buffers, ended tasks are destroyed.
//
// Thread:    the thread that runs the loop; only add_callback(), stop() and handle() may be called from
//            others. Builds with assertions check this while the loop runs.
// Lifetime:  an object of the library that borrows the loop, such as a server, a client or a task, may
//            outlive it (LoopRef): tasks that wait for the loop then never resume. A reference of your own
//            must not outlive the loop. Does not survive fork() (IOL-06).
//            Destructors that the loop's destructor runs may call every function: the ending loop starts no
//            task, keeps no callback or timer, calls no handler, and start() throws std::logic_error.
// Errors:    exceptions from a callback, handler or timer are logged, and the loop continues (IOL-24).
class IOLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;
  using Duration = Clock::duration;
  using Ticket = CallbackQueue::Ticket;

  struct Options {
    std::string poller{};      // see make_poller(); empty: named by SQUALL_POLLER, else the system's best
    bool make_current = true;  // false: the thread that will run the loop calls make_current() (IOL-02)
    // Replaces the steady clock in tests. Borrowed; null uses the steady clock.
    TimeSource* time_source = nullptr;
    // Callbacks and resumed tasks that hold the loop for longer are logged by name; nullopt logs nothing.
    std::optional<TimeSpan> slow_callback{};
    // Once the callbacks of a turn have run for this time, which is checked after every 16 of them,
    // descriptors and timers go first, and the other callbacks run in the next turn. nullopt: no limit.
    std::optional<TimeSpan> max_callback_time = std::chrono::milliseconds(1);
  };

  // Makes the loop this thread's current one. Throws std::system_error, and std::invalid_argument if there is
  // no poller of that name.
  IOLoop();
  explicit IOLoop(const Options& options);
  // Must not be running. Cancels the spawned tasks, newest first, and drops callbacks and timers.
  ~IOLoop();
  IOLoop(const IOLoop&) = delete;
  IOLoop& operator=(const IOLoop&) = delete;

  // The loop that runs on this thread, else the loop that was made current, else a new loop that lives as
  // long as the thread (IOL-01). The loop of the main thread ends before static objects are destroyed. A loop
  // that a thread makes in its last destructors, after the end of the thread's first one, is never destroyed.
  static IOLoop& current();
  // As current(), but null instead of a new loop.
  static IOLoop* current_or_null() noexcept;
  void make_current() noexcept;
  static void clear_current() noexcept;

  // Runs turns until stop(). Throws std::logic_error if the loop runs already. May be called again
  // afterwards.
  void start();
  // May be called from any thread and from signal handlers. start() returns after the present turn. If the
  // loop does not run, the next start() runs one turn without waiting and returns (IOL-11).
  void stop() noexcept;
  bool running() const noexcept { return phase_ >= Phase::waiting; }
  // In the destructor, and for the remains that a LoopRef refers to.
  bool has_ended() const noexcept { return phase_ == Phase::ended; }
  std::string_view poller_name() const noexcept { return poller_->name(); }

  // Runs the loop until `task` has ended, and returns its value or throws its exception. After `timeout` the
  // task is destroyed and TimeoutError is thrown. Throws std::runtime_error if stop() was called before the
  // task ended.
  template <class T>
  T run_sync(Task<T> task, std::optional<TimeSpan> timeout = std::nullopt) {
    task.check_startable();
    RunSync run(*this);
    run.start = [&task, &run] { task.start(run); };
    run_until_ended(run, timeout);
    return task.result();
  }

  // Any thread. Runs `callback` in a later turn, after the callbacks that the same thread added before.
  void add_callback(Callback&& callback);
  // Any thread. Adds callbacks to this loop from threads that may outlive it.
  LoopHandle handle() const noexcept { return LoopHandle(inbox_); }
  // For signal handlers, which may neither allocate nor lock: `function` captures at most
  // SignalQueue::kInline bytes of trivially copyable values. False if SignalQueue::kCapacity functions wait
  // already. Most programs use add_signal_handler() or `co_await loop.signal(SIGHUP)` instead.
  template <std::invocable Function>
  bool add_callback_from_signal(Function function) noexcept {
    detail::refuse_coroutine<Function&>();
    return inbox_->add_from_signal(function);
  }

  // The time of the loop's clock at the beginning of this turn; the present time if no turn is under way.
  TimePoint time() const noexcept { return phase_ == Phase::in_turn ? time_ : now(); }
  // The present time of the loop's clock, also if callbacks of this turn have taken long.
  TimePoint now() const noexcept { return time_source_ ? time_source_->now() : Clock::now(); }
  // now() + delay, at most TimePoint::max(). A delay of zero or less is over already: time().
  TimePoint deadline_after(TimeSpan delay) const noexcept {
    return delay > delay.zero() ? saturating_add(now(), delay) : time();
  }
  // Runs `callback` once time() has reached `when`; never within this call, even if `when` has passed. A
  // timer at TimePoint::max() never fires.
  Timeout call_at(TimePoint when, Callback callback) {
    check_thread();
    return timers_.add(when, std::move(callback));
  }
  // The delay counts from this call.
  Timeout call_later(TimeSpan delay, Callback callback) {
    check_thread();
    return timers_.add(deadline_after(delay), std::move(callback));
  }
  // Destroys the callback now. Does nothing if the timer has fired or was removed (IOL-53).
  void remove_timeout(Timeout timeout) noexcept {
    check_thread();
    timers_.remove(timeout);
  }

  // Starts `task` now. The loop owns it, and destroys it when it ends or in the loop's destructor. An
  // exception from the task is logged, with the place of this call. Throws std::logic_error if the task was
  // moved from or has begun.
  void spawn(Task<void> task, std::source_location where = std::source_location::current());

  // The executor of run_in_executor(): a ThreadPool that is made on first use, unless another executor was
  // set (IOL-47). The loop's destructor and set_default_executor() release the executor; if they release the
  // last reference to it, they wait for the jobs that have begun, so no job may wait for the loop. Setting
  // null makes a new pool on next use.
  Executor& default_executor();
  void set_default_executor(std::shared_ptr<Executor> executor) noexcept;

  // Runs `callback` in the loop whenever the process receives `signal` (SIGINT, ...); the default action of
  // the signal does not take place. Only one loop of the process can handle a signal: throws std::logic_error
  // if another one does. A signal that signal() has kept is delivered to `callback`.
  void add_signal_handler(int signal, Callback callback);
  // Restores the previous action of the signal, unless a task waits for it.
  void remove_signal_handler(int signal) noexcept;
  // const int got = co_await loop.signal(SIGINT, SIGTERM): the first of these signals to arrive. The first
  // such wait makes the loop handle the signals, as add_signal_handler() does; a signal that arrives while no
  // task waits is kept for the next wait, however often it arrived. Awaited after the loop's end, it handles
  // no signal and never resumes.
  template <std::same_as<int>... Signals>
  SignalAwaiter signal(int first, Signals... more) noexcept {
    return {*this, {first, more...}};
  }
  // SIGINT and SIGTERM stop() the loop.
  void stop_on_signals();

  // Level-triggered: calls `function(fd, events)` in every turn in which `fd` is ready for one of `events`.
  // Errors and hang-ups are reported as readiness (IOL-34). Exceptions from `function` are logged; it stays
  // registered (IOL-38). It may remove itself and other handlers, and close their descriptors. Throws
  // std::invalid_argument if `fd` is registered already (IOL-32), std::system_error if the poller refuses it.
  template <std::invocable<int, Events> Function>
  void add_handler(int fd, Events events, Function function) {
    detail::refuse_coroutine<Function&, int, Events>();
    // The ending loop calls no handler, and has nobody to destroy the function later.
    if (phase_ == Phase::ended) return add_handler(fd, events, {[](void*, Events) {}, nullptr});
    auto closure = std::make_unique<detail::HandlerClosureOf<Function>>(fd, std::move(function));
    add_handler(fd, events, closure->handler());
    closure.release();
  }
  // Throws std::invalid_argument if `fd` is not registered.
  void update_handler(int fd, Events events) {
    check_thread();
    descriptors_.update(fd, events);
  }
  // Call it before `fd` is closed. Does nothing if `fd` is not registered (IOL-33). Events of `fd` that are
  // not dispatched yet are dropped (IOL-36).
  void remove_handler(int fd) noexcept {
    check_thread();
    if (detail::HandlerClosure* closure = detail::HandlerClosure::of(descriptors_.remove(fd)))
      closure->release();
  }

  // ---- Statistics and slow callbacks.

  LoopStats stats() const noexcept;
  // As Options::slow_callback.
  void set_slow_callback(std::optional<TimeSpan> threshold) noexcept { slow_callback_ = threshold; }

  // ---- Embedding: another event loop waits until fd() is readable, at most for next_timeout(), and then
  // calls run_once(0s). See docs/ioloop.md.

  // A descriptor that is readable when a registered descriptor is ready or another thread has added a
  // callback. Throws std::logic_error if the poller has no descriptor (poll).
  int fd() const;
  // The time until the earliest timer; zero if there is work now, nullopt if there is no timer. Each added
  // timer and callback may change it.
  std::optional<Duration> next_timeout() const noexcept;
  // Runs one turn, which waits at most `timeout`; not at all for zero or less. False if stop() was called,
  // before or meanwhile.
  bool run_once(TimeSpan timeout);

  // ---- For the authors of streams and awaitables.

  // add_handler() with a function pointer, without an allocation.
  void add_handler(int fd, Events events, EventHandler handler) {
    check_thread();
    descriptors_.add(fd, events, handler);
  }
  // The handler of `fd`; empty if `fd` is not registered.
  EventHandler handler_of(int fd) const noexcept { return descriptors_.handler_of(fd); }
  // Replaces the handler of `fd`; the events stay the same. call_handler() calls the handler as if `events`
  // had occurred.
  void set_handler(int fd, EventHandler handler) noexcept {
    check_thread();
    descriptors_.set_handler(fd, handler);
  }
  void call_handler(int fd, Events events) { descriptors_.call(fd, events); }

  // add_callback() for the loop's thread, with a ticket to withdraw() the callback.
  Ticket call_soon(Callback callback);
  // Resumes `coroutine` and records it for the log of slow callbacks. Every resumption by the loop uses it.
  void resume(std::coroutine_handle<> coroutine) {
    if (slow_callback_) resumed_ = resumption_of(coroutine);
    detail::RunningCoroutine::resume(coroutine);
  }
  // Calls `hook`, which the call may destroy, and records its coroutine.
  void call(const LoopHook& hook) {
    if (slow_callback_ && hook.coroutine()) resumed_ = resumption_of(hook.coroutine());
    hook();
  }
  // Destroys the queued callback, or leaves the queued coroutine suspended. Does nothing if it has run, or
  // for 0.
  void withdraw(Ticket ticket) noexcept {
    check_thread();
    callbacks_.cancel(ticket);
  }
  // Calls `hook` once, in its order among the callbacks, without an allocation. Unlinking the hook withdraws
  // the call.
  void call_soon(LoopHook& hook) noexcept;

  // Calls `hook`, which must not throw, once in step 6 of this turn; of the next turn if no turn is under
  // way. Unlinking the hook withdraws the call.
  void at_turn_end(LoopHook& hook) noexcept {
    check_thread();
    turn_end_.push_back(hook);
  }

  // Every callback, event and timer may spend kBudget units on operations that complete without waiting. Once
  // spend() returns false, an awaitable should suspend and resume through the ready queue, so that one busy
  // peer cannot block the loop.
  static constexpr int kBudget = 1024;
  bool spend(int units) noexcept {
    check_thread();
    return (budget_ -= units) >= 0;
  }

  // Called by TaskGroup: it has `change` tasks more.
  void count_tasks(int change) noexcept { tasks_ += static_cast<std::size_t>(change); }

  SignalHandlers& signal_handlers();
  // The child processes that the loop waits for.
  ChildReaper& children();
  // The number of loops in this process.
  static int live_loops() noexcept;

 private:
  friend class LoopRef;

  // `ended`: in the destructor, or the remains of a loop. `waiting`: running, but before step 2 of a turn or
  // behind its last step.
  enum class Phase : std::uint8_t { ended, stopped, waiting, in_turn };
  class Running;
  struct RunSync final : detail::TaskOwner {
    explicit RunSync(IOLoop& loop) noexcept : loop(loop) {}
    std::coroutine_handle<> task_ended(std::size_t) noexcept override {
      ended = true;
      loop.stop();
      return std::noop_coroutine();
    }
    IOLoop& loop;
    Callback start;
    bool ended = false;
  };

  struct Remains;
  struct FreeTarget {
    void operator()(LoopRef::Target* target) const noexcept;
  };
  // The remains of `ended`.
  IOLoop(IOLoop& ended, LoopRef::Target& target) noexcept;
  void end() noexcept;
  // Debug builds only.
  void check_thread() const noexcept {
    assert(is_usable_here() &&
           "an IOLoop or one of its objects was used on another thread: call add_callback() there");
  }
  bool is_usable_here() const noexcept;

  void turn(std::optional<Duration> limit);
  std::span<const Ready> wait(std::optional<Duration> limit);
  void run_callbacks();
  void run_turn_end() noexcept;
  template <class Function, class Describe>
  void guarded(Function&& function, Describe&& culprit) noexcept;
  void guarded(Callback& callback, const char* kind) noexcept;
  void guarded(const LoopHook& hook) noexcept;
  void run_until_ended(RunSync& run, std::optional<TimeSpan> timeout);
  void on_wake();

  // A system call costs ten times a callback, so turns with callbacks skip it. Limited, so that callbacks
  // that add callbacks cannot starve the descriptors.
  static constexpr std::size_t kUnpolled = 64;
  // Callbacks between two looks at the clock, for Options::max_callback_time.
  static constexpr unsigned kUntimed = 16;

  // In the order in which a turn uses them: after a sleep the cache lines are cold.
  std::unique_ptr<Poller> poller_;
  std::shared_ptr<Inbox> inbox_;  // callbacks from other threads
  TimeSource* time_source_;
  TimePoint time_{};
  std::size_t unpolled_ = 0;       // callbacks run since the last call of the poller
  const void* resumed_ = nullptr;  // resumption_of() the coroutine that the present callback resumed
  std::optional<TimeSpan> slow_callback_;
  Duration max_callback_time_;
  int budget_ = kBudget;
  Phase phase_ = Phase::stopped;
  std::atomic<bool> stopping_ = false;
  LoopHookList turn_end_;
  DescriptorTable descriptors_;
  TimerHeap timers_;
  CallbackQueue callbacks_;
  LoopStats stats_;
  std::size_t tasks_ = 0;

  std::unique_ptr<LoopRef::Target, FreeTarget> target_;
  std::unique_ptr<SignalHandlers> signals_;
  std::unique_ptr<TaskGroup> spawned_;
  std::unique_ptr<ChildReaper> children_;
  std::shared_ptr<Executor> executor_;
};

inline LoopRef::LoopRef(IOLoop& loop) noexcept : target_(loop.target_.get()) { ++target_->references; }

}  // namespace squall
