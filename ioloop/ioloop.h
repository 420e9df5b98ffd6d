#pragma once

#include <squall/ioloop/callback_queue.h>
#include <squall/ioloop/descriptor_table.h>
#include <squall/ioloop/poller.h>
#include <squall/ioloop/task.h>
#include <squall/ioloop/timer_heap.h>
#include <squall/ioloop/waker.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace squall {

class SignalHandlers;
class TaskGroup;

// An event loop: waits for descriptors, timers and callbacks, and runs what is due.
//
// One turn, in this order (IOL-20):
//   1. wait in the poller, not at all if there is work, else until the earliest timer;
//   2. read the clock: time() stays the same for the rest of the turn;
//   3. run the callbacks that were queued by then, and no others (IOL-21);
//   4. dispatch the descriptors that are ready, in the poller's order;
//   5. run the timers that are due, earliest first;
//   6. run the end-of-turn work: corked streams send what was written, ended tasks are destroyed.
//
// Thread:    the thread that runs it; only add_callback() and stop() may be called from others.
// Lifetime:  outlives everything that was given a reference to it. Does not survive fork() (IOL-06).
// Errors:    what a callback, handler or timer throws is logged, and the loop goes on (IOL-24).
class IOLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;
  using Duration = Clock::duration;
  using Ticket = CallbackQueue::Ticket;

  struct Options {
    std::string poller;  // see make_poller(); empty is what SQUALL_POLLER names, else the system's best
  };

  // Becomes this thread's current loop (IOL-02). Throws std::system_error, and std::invalid_argument if there
  // is no such poller.
  IOLoop();
  explicit IOLoop(Options options);
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
  void add_callback(Callback callback);

  // steady_clock's time as of this turn, or now if no turn is under way.
  TimePoint time() const noexcept { return in_turn_ ? time_ : Clock::now(); }
  // Runs `callback` once time() has reached `when`; never from in here, not even if that has passed.
  Timeout call_at(TimePoint when, Callback callback) { return timers_.add(when, std::move(callback)); }
  Timeout call_later(Duration delay, Callback callback) {
    return timers_.add(time() + delay, std::move(callback));
  }
  // Destroys the callback at once. Does nothing if the timer has fired or was removed (IOL-53).
  void remove_timeout(Timeout timeout) noexcept { timers_.remove(timeout); }

  // Begins `task` at once and leaves it to the loop, which destroys it when it ends or when the loop itself
  // goes. Its error is logged, with the place of this call.
  void spawn(Task<void> task, std::source_location where = std::source_location::current());

  // Runs `callback` in the loop whenever the process receives `signal` (SIGINT, ...), whose default action no
  // longer takes place. A signal belongs to one loop of the process at a time: throws std::logic_error if it
  // is taken.
  void add_signal_handler(int signal, Callback callback);
  // Restores what the signal did before.
  void remove_signal_handler(int signal) noexcept;
  // SIGINT and SIGTERM stop() the loop.
  void stop_on_signals();

  // ---- For those who write streams and awaitables.

  // Level-triggered: `handler` is called in every turn in which `fd` is ready for one of `events`. Errors and
  // hang-ups arrive as readiness. See DescriptorTable for the errors.
  void add_handler(int fd, Events events, EventHandler handler) { descriptors_.add(fd, events, handler); }
  void update_handler(int fd, Events events) { descriptors_.update(fd, events); }
  void remove_handler(int fd) noexcept { descriptors_.remove(fd); }
  // Another handler from now on, for the same events. It may be called at once, with those the last one was
  // given.
  void set_handler(int fd, EventHandler handler) noexcept { descriptors_.set_handler(fd, handler); }
  void call_handler(int fd, Events events) { descriptors_.call(fd, events); }

  // add_callback() for the loop's own thread: what it queues can be withdrawn.
  Ticket call_soon(Callback callback);
  Ticket resume_soon(std::coroutine_handle<> coroutine) {
    return call_soon([coroutine] { coroutine.resume(); });
  }
  // Destroys the callback, or leaves the coroutine suspended, unless its turn has come. 0 is nothing.
  void withdraw(Ticket ticket) noexcept { callbacks_.cancel(ticket); }

  // Calls `function(context)` once, in step 6 of this turn, or of the next if none is under way. The number
  // returned is not 0, and withdraws or moves the call until it has begun. `function` must not throw.
  std::uint32_t at_turn_end(void (*function)(void* context), void* context);
  void cancel_at_turn_end(std::uint32_t number) noexcept { turn_end_[number - 1].function = nullptr; }
  void set_turn_end_context(std::uint32_t number, void* context) noexcept {
    turn_end_[number - 1].context = context;
  }

  // Fairness: every callback, event and timer has kBudget units to spend on waits that turn out to be over
  // already. Once they are spent an awaitable should step back to the ready queue, so that one busy peer
  // cannot keep the loop from the others.
  static constexpr int kBudget = 1024;
  bool spend(int units) noexcept { return (budget_ -= units) >= 0; }

 private:
  struct TurnEnd {
    void (*function)(void* context);
    void* context;
  };
  struct RunSync final : detail::TaskOwner {
    explicit RunSync(IOLoop& loop) noexcept : loop(loop) {}
    void task_ended() noexcept override {
      ended = true;
      loop.stop();
    }
    IOLoop& loop;
    Callback start;
    bool ended = false;
  };

  void turn();
  std::chrono::nanoseconds poll_timeout() const noexcept;
  void take_inbox();
  void run_turn_end() noexcept;
  template <class Function>
  void guarded(Function&& function) noexcept;
  void run_until_ended(RunSync& run, std::optional<Duration> timeout);
  void on_wake();

  std::unique_ptr<Poller> poller_;
  DescriptorTable descriptors_;
  TimerHeap timers_;
  CallbackQueue callbacks_;
  std::vector<TurnEnd> turn_end_;
  TimePoint time_{};
  int budget_ = kBudget;
  bool running_ = false;
  bool in_turn_ = false;
  std::atomic<bool> stopping_ = false;

  // Callbacks from other threads.
  std::atomic<bool> inbox_filled_ = false;
  std::mutex inbox_mutex_;
  std::vector<Callback> inbox_;
  std::vector<Callback> taken_;  // emptied inbox_, kept for its memory
  Waker waker_;

  std::unique_ptr<SignalHandlers> signals_;
  std::unique_ptr<TaskGroup> spawned_;
};

}  // namespace squall
