#include <squall/ioloop/ioloop.h>

#include <squall/ioloop/errors.h>
#include <squall/ioloop/log.h>
#include <squall/ioloop/signal_handlers.h>
#include <squall/ioloop/task_group.h>

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

constinit thread_local IOLoop* t_running = nullptr;
constinit thread_local IOLoop* t_current = nullptr;

// An emptied inbox larger than this is given back.
constexpr std::size_t kKeptInbox = 64 * 1024;

}  // namespace

IOLoop::IOLoop() : IOLoop(Options()) {}

IOLoop::IOLoop(Options options) : poller_(make_poller(options.poller)), descriptors_(*poller_) {
  spawned_ = std::make_unique<TaskGroup>(*this);
  add_handler(waker_.fd(), Events::read,
              {[](void* self, Events) { static_cast<IOLoop*>(self)->on_wake(); }, this});
  make_current();
}

IOLoop::~IOLoop() {
  assert(!running_ && "an IOLoop was destroyed while it ran");
  // What these hold may still withdraw itself from the loop, so they go before its parts do.
  spawned_.reset();
  signals_.reset();
  callbacks_.run_until(callbacks_.end(), [](Callback&) {});
  taken_.clear();
  inbox_.clear();
  timers_.clear();
  if (t_current == this) t_current = nullptr;
}

IOLoop& IOLoop::current() {
  if (IOLoop* loop = current_or_null()) return *loop;
  static thread_local std::unique_ptr<IOLoop> own;
  own = std::make_unique<IOLoop>();
  return *own;
}

IOLoop* IOLoop::current_or_null() noexcept { return t_running ? t_running : t_current; }
void IOLoop::make_current() noexcept { t_current = this; }
void IOLoop::clear_current() noexcept { t_current = nullptr; }

void IOLoop::start() {
  if (running_) throw std::logic_error("IOLoop is already running");
  if (t_running) throw std::logic_error("another IOLoop is already running on this thread");
  struct Running {
    explicit Running(IOLoop& loop) noexcept : loop(loop) {
      loop.running_ = true;
      t_running = &loop;
    }
    ~Running() {
      loop.running_ = loop.in_turn_ = false;
      t_running = nullptr;
    }
    IOLoop& loop;
  } running(*this);
  do {
    turn();
  } while (!stopping_.load(std::memory_order_relaxed));
  stopping_.store(false, std::memory_order_relaxed);
}

void IOLoop::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  // Within a turn the loop looks at the flag before it waits again. Anywhere else it may be about to sleep,
  // and a signal handler may have interrupted it there.
  if (t_running != this || !in_turn_) waker_.wake();
}

void IOLoop::turn() {
  const std::span<const Ready> ready = poller_->wait(poll_timeout());
  time_ = Clock::now();
  in_turn_ = true;

  if (inbox_filled_.load(std::memory_order_acquire)) take_inbox();
  if (!callbacks_.empty())
    callbacks_.run_until(callbacks_.end(), [this](Callback& callback) { guarded(callback); });

  for (const Ready& event : ready) {
    descriptors_.dispatch(event, [this](EventHandler handler, Events events) {
      guarded([&] { handler.function(handler.context, events); });
    });
  }

  timers_.fire(time_, [this](Callback& callback) { guarded(callback); });

  if (!turn_end_.empty()) run_turn_end();
  in_turn_ = false;
}

std::chrono::nanoseconds IOLoop::poll_timeout() const noexcept {
  using namespace std::chrono_literals;
  if (!callbacks_.empty() || !turn_end_.empty() || stopping_.load(std::memory_order_relaxed) ||
      inbox_filled_.load(std::memory_order_relaxed))
    return 0ns;
  if (timers_.empty()) return -1ns;
  return std::max<std::chrono::nanoseconds>(timers_.earliest() - Clock::now(), 0ns);
}

template <class Function>
void IOLoop::guarded(Function&& function) noexcept {
  budget_ = kBudget;
  try {
    function();
  } catch (const std::exception& error) {
    log::application().error("Exception in callback: {}", error.what());
  } catch (...) {
    log::application().error("Exception in callback: not a std::exception");
  }
}

void IOLoop::add_callback(Callback callback) {
  if (t_running == this) {
    callbacks_.push(std::move(callback));
    return;
  }
  bool was_empty;
  {
    const std::lock_guard lock(inbox_mutex_);
    was_empty = inbox_.empty();
    inbox_.push_back(std::move(callback));
    if (was_empty) inbox_filled_.store(true, std::memory_order_release);
  }
  // One wake-up for all that gathers until the loop looks.
  if (was_empty) waker_.wake();
}

void IOLoop::take_inbox() {
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.swap(taken_);
    inbox_filled_.store(false, std::memory_order_relaxed);
  }
  for (Callback& callback : taken_) callbacks_.push(std::move(callback));
  taken_.clear();
  if (taken_.capacity() > kKeptInbox) taken_ = std::vector<Callback>();
}

void IOLoop::on_wake() {
  waker_.drain();
  if (signals_) signals_->deliver([this](Callback& callback) { guarded(callback); });
}

IOLoop::Ticket IOLoop::call_soon(Callback callback) {
  assert((!running_ || t_running == this) && "only add_callback() may be called from another thread");
  return callbacks_.push(std::move(callback));
}

std::uint32_t IOLoop::at_turn_end(void (*function)(void* context), void* context) {
  turn_end_.push_back({function, context});
  return static_cast<std::uint32_t>(turn_end_.size());
}

void IOLoop::run_turn_end() noexcept {
  // By index: the work may add more, which is done as well.
  for (std::size_t i = 0; i < turn_end_.size(); ++i) {
    const TurnEnd work = std::exchange(turn_end_[i], {});
    if (work.function) work.function(work.context);
  }
  turn_end_.clear();
}

void IOLoop::spawn(Task<void> task, std::source_location where) { spawned_->add(std::move(task), where); }

void IOLoop::add_signal_handler(int signal, Callback callback) {
  if (!signals_) signals_ = std::make_unique<SignalHandlers>(waker_);
  signals_->add(signal, std::move(callback));
}

void IOLoop::remove_signal_handler(int signal) noexcept {
  if (signals_) signals_->remove(signal);
}

void IOLoop::stop_on_signals() {
  for (const int signal : {SIGINT, SIGTERM}) add_signal_handler(signal, [this] { stop(); });
}

void IOLoop::run_until_ended(RunSync& run, std::optional<Duration> timeout) {
  if (running_) throw std::logic_error("IOLoop is already running");
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
