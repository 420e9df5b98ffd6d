#include <squall/ioloop/loop/ioloop.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/child_reaper.h>
#include <squall/ioloop/loop/signal_handlers.h>
#include <squall/ioloop/loop/task_group.h>

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall {

namespace detail {
// Defined in process/thread_pool.cc, because loop/ may not include process/.
std::shared_ptr<Executor> make_default_executor();
}  // namespace detail

namespace {

constinit thread_local IOLoop* t_running = nullptr;
constinit thread_local IOLoop* t_current = nullptr;
constinit thread_local IOLoop* t_own = nullptr;  // made by current()
constinit std::atomic<int> g_live_loops = 0;

struct OwnLoop {
  ~OwnLoop() { delete std::exchange(t_own, nullptr); }
};

}  // namespace

// The target of the LoopRefs of one loop, with room for the remains of the loop: ending needs no memory.
struct IOLoop::Remains : LoopRef::Target {
  explicit Remains(IOLoop& loop) noexcept : Target{.loop = &loop} {}
  alignas(IOLoop) std::byte room[sizeof(IOLoop)];
};

void IOLoop::FreeTarget::operator()(LoopRef::Target* target) const noexcept {
  delete static_cast<Remains*>(target);
}

void LoopRef::destroy_remains(Target* target) noexcept {
  target->loop->~IOLoop();
  IOLoop::FreeTarget()(target);
}

IOLoop::IOLoop() : IOLoop(Options()) {}

[[gnu::cold]] IOLoop::IOLoop(const Options& options)
    : poller_(make_poller(options.poller)),
      inbox_(std::make_shared<Inbox>()),
      time_source_(options.time_source),
      slow_callback_(options.slow_callback),
      max_callback_time_(options.max_callback_time.value_or(Duration::max())),
      descriptors_(*poller_),
      target_(new Remains(*this)) {
  spawned_ = std::make_unique<TaskGroup>(*this);
  add_handler(inbox_->waker().fd(), Events::read,
              {[](void* self, Events) { static_cast<IOLoop*>(self)->on_wake(); }, this});
  if (options.make_current) make_current();
  g_live_loops.fetch_add(1, std::memory_order_relaxed);
}

// The handlers stay registered, so that their owners can remove them as before.
[[gnu::cold]] IOLoop::IOLoop(IOLoop& ended, LoopRef::Target& target) noexcept
    : poller_(std::move(ended.poller_)),
      inbox_(std::move(ended.inbox_)),
      time_source_(nullptr),
      phase_(Phase::ended),
      descriptors_(std::move(ended.descriptors_)),
      target_(&target) {
  timers_.close();
}

[[gnu::cold]] IOLoop::~IOLoop() {
  assert(!running() && "an IOLoop was destroyed while it ran");
  end();
  LoopRef::Target* const target = target_.get();
  if (target->references == 0) {  // these are the remains
    target_.release();
    return;
  }
  g_live_loops.fetch_sub(1, std::memory_order_relaxed);
  if (--target->references == 0) return;
  target_.release();
  target->loop = ::new (static_cast<Remains*>(target)->room) IOLoop(*this, *target);
}

// The destructors that run here may call any function of the loop.
[[gnu::cold]] void IOLoop::end() noexcept {
  phase_ = Phase::ended;
  // Tasks and jobs withdraw their waits from the loop when they are destroyed, so they go first.
  spawned_.reset();
  executor_.reset();
  signals_.reset();
  inbox_->close();
  callbacks_.run_until(callbacks_.end(), [](auto&) { return true; });
  timers_.close();
  for (int fd = 0; fd < descriptors_.bound(); ++fd)
    if (detail::HandlerClosure::of(descriptors_.handler_of(fd))) remove_handler(fd);
  children_.reset();
  // These are made on demand, so a destructor may have made them again.
  while (signals_ || executor_ || children_) {
    signals_.reset();
    executor_.reset();
    children_.reset();
  }
  if (t_current == this) t_current = nullptr;
}

IOLoop& IOLoop::current() {
  if (IOLoop* loop = current_or_null()) return *loop;
  if (!t_own) {
    t_own = new IOLoop;
    // Constructed once a thread. It is gone after the thread's last destructors: see the header.
    [[maybe_unused]] static thread_local const OwnLoop owner;
  }
  t_own->make_current();
  return *t_own;
}

IOLoop* IOLoop::current_or_null() noexcept { return t_running ? t_running : t_current; }
void IOLoop::make_current() noexcept { t_current = this; }
void IOLoop::clear_current() noexcept { t_current = nullptr; }

class IOLoop::Running {
 public:
  explicit Running(IOLoop& loop) : loop_(loop) {
    if (loop.running()) throw std::logic_error("IOLoop is already running");
    if (loop.phase_ == Phase::ended) throw std::logic_error("this IOLoop has ended");
    if (t_running) throw std::logic_error("another IOLoop is already running on this thread");
    loop.phase_ = Phase::waiting;
    t_running = &loop;
    loop.unpolled_ = kUnpolled;  // the first turn calls the poller
  }
  ~Running() {
    loop_.phase_ = Phase::stopped;
    t_running = nullptr;
    // The inbox is not read until the loop runs again, but an embedding loop may wait for fd().
    if (!loop_.inbox_->sleep()) loop_.inbox_->waker().wake();
  }

 private:
  IOLoop& loop_;
};

void IOLoop::start() {
  const Running running(*this);
  do {
    turn(std::nullopt);
  } while (!stopping_.load(std::memory_order_relaxed));
  stopping_.store(false, std::memory_order_relaxed);
}

bool IOLoop::run_once(TimeSpan timeout) {
  const Running running(*this);
  turn(std::max<Duration>(timeout, Duration::zero()));
  return !stopping_.exchange(false, std::memory_order_relaxed);
}

void IOLoop::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  // Within a turn the loop checks the flag before it waits again. Otherwise the loop may be about to wait,
  // also if a signal handler calls this on the loop's thread.
  if (t_running != this || phase_ != Phase::in_turn) inbox_->waker().wake();
}

[[gnu::hot]] void IOLoop::turn(std::optional<Duration> limit) {
  const std::span<const Ready> ready = wait(limit);
  time_ = now();
  phase_ = Phase::in_turn;
  ++stats_.turns;

  if (!callbacks_.empty() || inbox_->filled()) run_callbacks();

  stats_.events += ready.size();
  for (const Ready& event : ready) {
    descriptors_.dispatch(event, [&](EventHandler handler, Events events) {
      guarded([&] { handler.function(handler.context, events); },
              [&] {
                return Culprit{.kind = "handler",
                               .function = reinterpret_cast<const void*>(handler.function),
                               .fd = event.fd};
              });
    });
  }

  if (timers_.earliest() <= time_) [[unlikely]] {
    stats_.lag.record(saturating_subtract(time_, timers_.earliest()));
    stats_.timers += timers_.fire(time_, [this](Callback& callback) { guarded(callback, "timer"); });
  }

  if (!turn_end_.empty()) run_turn_end();
  phase_ = Phase::waiting;
}

[[gnu::hot]] std::span<const Ready> IOLoop::wait(std::optional<Duration> limit) {
  std::optional<Duration> timeout = next_timeout();
  if (timeout == Duration::zero()) {
    if (unpolled_ < kUnpolled && (!callbacks_.empty() || inbox_->filled())) return {};
    unpolled_ = 0;
    return poller_->wait(timeout);
  }
  unpolled_ = 0;
  if (time_source_) {
    // A time source may skip to the next timer, but only when no descriptor is ready.
    const std::span<const Ready> ready = poller_->wait(Duration::zero());
    const bool has_timer = !timers_.empty() && timers_.earliest() != TimePoint::max();
    if (!ready.empty() || (has_timer && time_source_->skip_to(timers_.earliest()))) return ready;
    timeout = std::nullopt;
  }
  if (limit && (!timeout || *limit < *timeout)) timeout = limit;
  if (!inbox_->sleep()) timeout = Duration::zero();
  const std::span<const Ready> ready = poller_->wait(timeout);
  inbox_->awake();
  return ready;
}

std::optional<IOLoop::Duration> IOLoop::next_timeout() const noexcept {
  if (!callbacks_.empty() || !turn_end_.empty() || stopping_.load(std::memory_order_relaxed) ||
      inbox_->filled())
    return Duration::zero();
  if (timers_.earliest() == TimePoint::max()) return std::nullopt;
  return std::max(saturating_subtract(timers_.earliest(), now()), Duration::zero());
}

int IOLoop::fd() const {
  const int fd = poller_->fd();
  if (fd < 0)
    throw std::logic_error(fmt::format("the {} poller has no descriptor to wait for", poller_->name()));
  return fd;
}

LoopStats IOLoop::stats() const noexcept {
  LoopStats stats = stats_;
  stats.handlers = descriptors_.size();
  stats.pending_callbacks = callbacks_.size();
  stats.pending_timers = timers_.size();
  stats.tasks = tasks_;
  return stats;
}

void IOLoop::run_callbacks() {
  struct Run {
    bool operator()(Callback& callback) noexcept {
      loop.guarded(callback, "callback");
      return goes_on();
    }
    bool operator()(const LoopHook& hook) noexcept {
      loop.guarded(hook);
      return goes_on();
    }
    bool goes_on() noexcept {
      if (++count % kUntimed != 0 || loop.now() - loop.time_ < loop.max_callback_time_) [[likely]]
        return true;
      loop.unpolled_ = kUnpolled;
      return false;
    }
    IOLoop& loop;
    unsigned count = 0;
  };
  std::size_t count = 0;
  if (!callbacks_.empty()) count += callbacks_.run_until(callbacks_.end(), Run{*this});
  if (inbox_->filled()) count += inbox_->run(Run{*this});
  stats_.callbacks += count;
  unpolled_ += count;
}

template <class Function, class Describe>
void IOLoop::guarded(Function&& function, Describe&& culprit) noexcept {
  budget_ = kBudget;
  TimePoint begun{};
  if (slow_callback_) [[unlikely]] {
    begun = Clock::now();
    resumed_ = nullptr;
  }
  try {
    function();
  } catch (...) {
    log::application().error("Exception in callback: {}", current_what());
  }
  if (begun == TimePoint()) return;
  const Duration held = Clock::now() - begun;
  if (!slow_callback_ || held <= *slow_callback_) return;
  Culprit slow = culprit();
  slow.coroutine = resumed_;
  report_slow(slow, held, *slow_callback_);
}

void IOLoop::guarded(Callback& callback, const char* kind) noexcept {
  guarded([&] { callback(); }, [&] { return Culprit{.kind = kind, .closure = &callback.type()}; });
}

void IOLoop::guarded(const LoopHook& hook) noexcept {
  const auto function = reinterpret_cast<const void*>(hook.function());
  guarded([&] { call(hook); }, [&] { return Culprit{.kind = "callback", .function = function}; });
}

void IOLoop::add_callback(Callback&& callback) {
  if (t_running == this) {
    callbacks_.push(std::move(callback));
  } else {
    inbox_->add(std::move(callback));
  }
}

void IOLoop::on_wake() {
  inbox_->waker().drain();
  inbox_->run_from_signals([this](auto&& function) {
    ++stats_.callbacks;
    guarded(function, [] { return Culprit{.kind = "callback from a signal handler"}; });
  });
  if (signals_) signals_->deliver([this](Callback& callback) { guarded(callback, "signal handler"); });
}

IOLoop::Ticket IOLoop::call_soon(Callback callback) {
  check_thread();
  if (phase_ == Phase::ended) return 0;
  return callbacks_.push(std::move(callback));
}

void IOLoop::call_soon(LoopHook& hook) noexcept {
  check_thread();
  callbacks_.push(hook);
}

void IOLoop::run_turn_end() noexcept {
  // A hook may add further hooks, which are called as well.
  while (!turn_end_.empty()) turn_end_.pop_front()();
}

bool IOLoop::is_usable_here() const noexcept { return !running() || t_running == this; }

void IOLoop::spawn(Task<void> task, std::source_location where) {
  check_thread();
  if (phase_ == Phase::ended) return;
  spawned_->add(std::move(task), where);
}

SignalHandlers& IOLoop::signal_handlers() {
  check_thread();
  if (!signals_) signals_ = std::make_unique<SignalHandlers>(inbox_->waker());
  return *signals_;
}

Executor& IOLoop::default_executor() {
  check_thread();
  if (!executor_) executor_ = detail::make_default_executor();
  return *executor_;
}

void IOLoop::set_default_executor(std::shared_ptr<Executor> executor) noexcept {
  check_thread();
  // The old executor's destructor may call this function.
  executor_.swap(executor);
}

ChildReaper& IOLoop::children() {
  check_thread();
  if (!children_) children_ = std::make_unique<ChildReaper>(*this);
  return *children_;
}

int IOLoop::live_loops() noexcept { return g_live_loops.load(std::memory_order_relaxed); }

void IOLoop::add_signal_handler(int signal, Callback callback) {
  if (phase_ == Phase::ended) return;
  signal_handlers().add(signal, std::move(callback));
}

void IOLoop::remove_signal_handler(int signal) noexcept {
  check_thread();
  if (signals_) signals_->remove(signal);
}

void IOLoop::stop_on_signals() {
  for (const int signal : {SIGINT, SIGTERM}) add_signal_handler(signal, [this] { stop(); });
}

void IOLoop::run_until_ended(RunSync& run, std::optional<TimeSpan> timeout) {
  if (running()) throw std::logic_error("IOLoop is already running");  // before the task is queued
  struct Arms {
    ~Arms() {
      loop.callbacks_.cancel(begin);
      loop.remove_timeout(timer);
    }
    IOLoop& loop;
    Ticket begin = 0;
    Timeout timer{};
  } arms{*this};
  bool timed_out = false;
  arms.begin = callbacks_.push([&run] { run.start(); });
  if (timeout) {
    arms.timer = call_later(*timeout, [&] {
      timed_out = true;
      stop();
    });
  }
  start();
  if (run.ended) return;
  if (timed_out)
    throw TimeoutError(
        fmt::format("Operation timed out after {} seconds", std::chrono::duration<double>(*timeout).count()));
  throw std::runtime_error("Event loop stopped before Future completed.");
}

}  // namespace squall
