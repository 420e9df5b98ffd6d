#pragma once

#include <squall/ioloop/base/time_source.h>
#include <squall/ioloop/loop/callback_queue.h>
#include <squall/ioloop/loop/descriptor_table.h>
#include <squall/ioloop/loop/handler_closure.h>
#include <squall/ioloop/loop/inbox.h>
#include <squall/ioloop/loop/loop_handle.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/loop_stats.h>
#include <squall/ioloop/loop/signal_awaiter.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/timer_heap.h>
#include <squall/ioloop/loop/watchdog.h>
#include <squall/ioloop/poller/poller.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
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
//   1. wait in the poller, not at all if there is work, else until the earliest timer; while there are
//   callbacks
//      to run the poller is asked only after every kUnpolled of them;
//   2. read the clock: time() stays the same for the rest of the turn;
//   3. run the callbacks that were queued by then, and no others (IOL-21);
//   4. dispatch the descriptors that are ready, in the poller's order;
//   5. run the timers that are due, earliest first;
//   6. run the end-of-turn work: corked streams send what was written, ended tasks are destroyed.
//
// Thread:    the thread that runs it; only add_callback(), stop() and handle() may be called from others.
// Lifetime:  outlives everything that was given a reference to it. Does not survive fork() (IOL-06).
// Errors:    what a callback, handler or timer throws is logged, and the loop goes on (IOL-24).
class IOLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;
  using Duration = Clock::duration;
  using Ticket = CallbackQueue::Ticket;

  struct Options {
    std::string poller{};      // see make_poller(); empty is what SQUALL_POLLER names, else the system's best
    bool make_current = true;  // false: for a thread of its own, which calls make_current() (IOL-02)
    // The loop's clock, borrowed, instead of the steady one: for tests.
    TimeSource* time_source = nullptr;
    // Callbacks and resumed tasks that hold the loop for longer are logged by name; nullopt logs none.
    std::optional<Duration> slow_callback{};
  };

  // Becomes this thread's current loop. Throws std::system_error, and std::invalid_argument if there is no
  // such poller.
  IOLoop();
  explicit IOLoop(const Options& options);
  // Must not be running. Cancels the spawned tasks, newest first, and drops callbacks and timers.
  ~IOLoop();
  IOLoop(const IOLoop&) = delete;
  IOLoop& operator=(const IOLoop&) = delete;

  // The loop that runs on this thread, else the one made current, else a new one that lives as long as the
  // thread (IOL-01).
  static IOLoop& current();
  // Null instead of a new one.
  static IOLoop* current_or_null() noexcept;
  void make_current() noexcept;
  static void clear_current() noexcept;

  // Runs turns until stop(). Throws std::logic_error if it runs already. May be called again afterwards.
  void start();
  // Any thread, and signal handlers. start() returns after the present turn; if it was not running, its next
  // call does one turn without waiting and returns (IOL-11).
  void stop() noexcept;
  bool running() const noexcept { return running_; }
  std::string_view poller_name() const noexcept { return poller_->name(); }

  // Runs the loop until `task` has ended, and returns its value or throws its error. After `timeout` the
  // task is destroyed and TimeoutError thrown; std::runtime_error if somebody else stopped the loop first.
  template <class T>
  T run_sync(Task<T> task, std::optional<Duration> timeout = std::nullopt) {
    RunSync run(*this);
    run.start = [&task, &run] { task.start(run); };
    run_until_ended(run, timeout);
    return task.result();
  }

  // Any thread. Runs `callback` in a later turn, after those added before it by the same thread.
  void add_callback(Callback&& callback);
  // Any thread: the way to this loop for one that may outlive it.
  LoopHandle handle() const noexcept { return LoopHandle(inbox_); }
  // From a signal handler, where nothing may allocate or lock: `function` captures at most
  // SignalQueue::kInline bytes of plain values. False if SignalQueue::kCapacity of them wait already. Most
  // programs want add_signal_handler() or `co_await loop.signal(SIGHUP)` instead.
  template <std::invocable Function>
  bool add_callback_from_signal(Function function) noexcept {
    return inbox_->add_from_signal(function);
  }

  // steady_clock's time as of this turn, or now if no turn is under way.
  TimePoint time() const noexcept { return in_turn_ ? time_ : now(); }
  // time() + delay, or the end of time if that is sooner.
  TimePoint deadline_after(Duration delay) const noexcept {
    const TimePoint start = time();
    return delay > TimePoint::max() - start ? TimePoint::max() : start + delay;
  }
  // Runs `callback` once time() has reached `when`; never from in here, not even if that has passed.
  Timeout call_at(TimePoint when, Callback callback) { return timers_.add(when, std::move(callback)); }
  Timeout call_later(Duration delay, Callback callback) {
    return timers_.add(deadline_after(delay), std::move(callback));
  }
  // Destroys the callback at once. Does nothing if the timer has fired or was removed (IOL-53).
  void remove_timeout(Timeout timeout) noexcept { timers_.remove(timeout); }

  // Begins `task` at once and leaves it to the loop, which destroys it when it ends or when the loop itself
  // goes. Its error is logged, with the place of this call.
  void spawn(Task<void> task, std::source_location where = std::source_location::current());

  // Where run_in_executor() runs its jobs: a ThreadPool, unless another one was set, made on first use
  // (IOL-47). The loop's destruction waits for the jobs that have begun, if nobody else holds the executor,
  // so none of them may wait for the loop. Setting another, for the jobs to come, waits as well; null stands
  // for a new pool.
  Executor& default_executor();
  void set_default_executor(std::shared_ptr<Executor> executor) noexcept;

  // Runs `callback` in the loop whenever the process receives `signal` (SIGINT, ...), whose default action no
  // longer takes place. A signal belongs to one loop of the process at a time: throws std::logic_error if it
  // is taken.
  void add_signal_handler(int signal, Callback callback);
  // Restores what the signal did before, unless a task waits for it.
  void remove_signal_handler(int signal) noexcept;
  // const int got = co_await loop.signal(SIGINT, SIGTERM): the one of these signals that comes first. From
  // the first such wait on the signal is the loop's, as with add_signal_handler(); one that comes while
  // nobody waits is kept for the next who does, but only once.
  template <std::same_as<int>... Signals>
  SignalAwaiter signal(int first, Signals... more) noexcept {
    return {*this, {first, more...}};
  }
  // SIGINT and SIGTERM stop() the loop.
  void stop_on_signals();

  // Level-triggered: calls `function(fd, events)` in every turn in which `fd` is ready for one of `events`.
  // Errors and hang-ups arrive as readiness (IOL-34). What it throws is logged, and it stays registered
  // (IOL-38). It may remove itself and others, and close their descriptors. Throws std::invalid_argument if
  // `fd` is registered already (IOL-32), std::system_error if the poller refuses it.
  template <std::invocable<int, Events> Function>
  void add_handler(int fd, Events events, Function function) {
    auto closure = std::make_unique<detail::HandlerClosureOf<Function>>(fd, std::move(function));
    descriptors_.add(fd, events, closure->handler());
    closure.release();
  }
  // Throws std::invalid_argument if `fd` is not registered.
  void update_handler(int fd, Events events) { descriptors_.update(fd, events); }
  // Before `fd` is closed. Does nothing if it is not registered (IOL-33); an event that waits in the present
  // turn is dropped (IOL-36).
  void remove_handler(int fd) noexcept {
    if (detail::HandlerClosure* closure = detail::HandlerClosure::of(descriptors_.remove(fd)))
      closure->release();
  }

  // ---- What it does, and for how long.

  LoopStats stats() const noexcept;
  // As Options::slow_callback.
  void set_slow_callback(std::optional<Duration> threshold) noexcept { slow_callback_ = threshold; }

  // ---- Embedding: another loop drives this one. It waits for fd() to be readable, at most next_timeout(),
  // and then calls run_once(0). See docs/ioloop.md.

  // Readable when a descriptor is ready or another thread has added something. Throws std::logic_error if the
  // poller has none (poll).
  int fd() const;
  // How long there is nothing to do unless fd() becomes readable; zero if there is work now, nullopt if that
  // is all to wait for. Changes with every timer and callback added.
  std::optional<Duration> next_timeout() const noexcept;
  // One turn, which waits at most `timeout`. False if stop() was called, before or meanwhile.
  bool run_once(Duration timeout);

  // ---- For those who write streams and awaitables.

  // add_handler() with a plain function, which costs no allocation.
  void add_handler(int fd, Events events, EventHandler handler) { descriptors_.add(fd, events, handler); }
  // Empty if `fd` is not registered.
  EventHandler handler_of(int fd) const noexcept { return descriptors_.handler_of(fd); }
  // Another handler from now on, for the same events. It may be called at once, with those the last one was
  // given.
  void set_handler(int fd, EventHandler handler) noexcept { descriptors_.set_handler(fd, handler); }
  void call_handler(int fd, Events events) { descriptors_.call(fd, events); }

  // add_callback() for the loop's own thread: what it queues can be withdrawn.
  Ticket call_soon(Callback callback);
  Ticket resume_soon(std::coroutine_handle<> coroutine) {
    return call_soon([this, coroutine] { resume(coroutine); });
  }
  // Every resumption that comes from the loop goes through here, so that the watchdog knows whom it resumed.
  void resume(std::coroutine_handle<> coroutine) {
    if (slow_callback_) resumed_ = resumption_of(coroutine);
    coroutine.resume();
  }
  // The same for a hook, which may be destroyed by the call.
  void call(const LoopHook& hook) {
    if (slow_callback_ && hook.coroutine()) resumed_ = resumption_of(hook.coroutine());
    hook();
  }
  // Destroys the callback, or leaves the coroutine suspended, unless its turn has come. 0 is nothing.
  void withdraw(Ticket ticket) noexcept { callbacks_.cancel(ticket); }
  // The same for who may not fail: calls `hook` once, in its order among the callbacks. Until then
  // unlinking the hook withdraws the call.
  void call_soon(LoopHook& hook) noexcept;

  // Calls `hook` once, in step 6 of this turn, or of the next if none is under way. Until then unlinking
  // it withdraws the call, which must not throw.
  void at_turn_end(LoopHook& hook) noexcept { turn_end_.push_back(hook); }

  // Fairness: every callback, event and timer has kBudget units to spend on waits that turn out to be over
  // already. Once they are spent an awaitable should step back to the ready queue, so that one busy peer
  // cannot keep the loop from the others.
  static constexpr int kBudget = 1024;
  bool spend(int units) noexcept { return (budget_ -= units) >= 0; }

  // A TaskGroup has one task more, or one less.
  void count_tasks(int change) noexcept { tasks_ += static_cast<std::size_t>(change); }

  SignalHandlers& signal_handlers();
  // The child processes that the loop waits for.
  ChildReaper& children();
  // How many loops there are in this process.
  static int live_loops() noexcept;

 private:
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

  TimePoint now() const noexcept { return time_source_ ? time_source_->now() : Clock::now(); }
  void turn(std::optional<Duration> limit);
  std::span<const Ready> wait(std::optional<Duration> limit);
  void run_callbacks();
  void run_turn_end() noexcept;
  template <class Function, class Describe>
  void guarded(Function&& function, Describe&& culprit) noexcept;
  void guarded(Callback& callback, const char* kind) noexcept;
  void guarded(const LoopHook& hook) noexcept;
  void run_until_ended(RunSync& run, std::optional<Duration> timeout);
  void on_wake();

  // A system call in each turn would cost ten times what a callback does. Bounded, so that callbacks that add
  // callbacks do not keep the loop from its descriptors.
  static constexpr std::size_t kUnpolled = 64;

  // In the order in which a turn uses them: a loop that sleeps between turns finds its cache lines cold.
  std::unique_ptr<Poller> poller_;
  std::shared_ptr<Inbox> inbox_;  // what other threads add
  TimeSource* time_source_;
  TimePoint time_{};
  std::size_t unpolled_ = 0;       // callbacks run since the poller was last asked
  const void* resumed_ = nullptr;  // the coroutine the present callback resumed, as a Culprit names it
  std::optional<Duration> slow_callback_;
  int budget_ = kBudget;
  bool running_ = false;
  bool in_turn_ = false;
  std::atomic<bool> stopping_ = false;
  LoopHookList turn_end_;
  DescriptorTable descriptors_;
  TimerHeap timers_;
  CallbackQueue callbacks_;
  LoopStats stats_;
  std::size_t tasks_ = 0;

  std::unique_ptr<SignalHandlers> signals_;
  std::unique_ptr<TaskGroup> spawned_;
  std::unique_ptr<ChildReaper> children_;
  std::shared_ptr<Executor> executor_;
};

}  // namespace squall
