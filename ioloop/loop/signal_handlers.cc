#include <squall/ioloop/loop/signal_handlers.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/signal_set.h>
#include <squall/ioloop/loop/ioloop.h>

#include <fmt/format.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>

namespace squall {
namespace {

// The state that on_signal() uses: static and atomic, because a signal may arrive at any time.
struct Slot {
  std::atomic<const Waker*> waker = nullptr;
  std::atomic<bool> pending = false;
};
Slot g_slots[NSIG];
std::atomic<int> g_inside = 0;  // threads in on_signal(), which may use a waker

static_assert(std::atomic<const Waker*>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_signal(int signal) {
  g_inside.fetch_add(1);
  Slot& slot = g_slots[signal];
  slot.pending.store(true);
  if (const Waker* waker = slot.waker.load()) waker->wake();
  g_inside.fetch_sub(1);
}

}  // namespace

SignalHandlers::~SignalHandlers() {
  while (!handlers_.empty()) give_back(handlers_.begin()->first);
}

[[gnu::cold]] void SignalHandlers::add(int signal, Callback callback) {
  if (!valid(signal)) throw std::invalid_argument(fmt::format("{} is not a signal", signal));
  take_over(signal);
  // Destroyed last, because its destructor may call these functions.
  Handler& handler = handlers_[signal];
  const Callback before = std::exchange(handler.callback, std::move(callback));
  if (std::exchange(handler.kept, false)) on_signal(signal);
}

void SignalHandlers::remove(int signal) noexcept {
  const auto found = handlers_.find(signal);
  if (found == handlers_.end()) return;
  const Callback before = std::move(found->second.callback);  // destroyed last, as in add()
  for (const SignalAwaiter& awaiter : waiting_)
    if (awaiter.wanted_ & bit(signal)) return;
  give_back(signal);
}

int SignalHandlers::claim(std::uint64_t signals) {
  for (int signal = 1; signal < NSIG; ++signal) {
    if (!valid(signal) || !(signals & bit(signal))) continue;
    take_over(signal);
    if (std::exchange(handlers_[signal].kept, false)) return signal;
  }
  return 0;
}

void SignalHandlers::wait(SignalAwaiter& awaiter) noexcept { waiting_.push_front(awaiter); }

bool SignalHandlers::wake(int signal) {
  bool woken = false;
  waiting_.for_each([&](SignalAwaiter& awaiter) {
    if (!(awaiter.wanted_ & bit(signal))) return;
    awaiter.loop_->call_soon(awaiter.resume_);
    awaiter.got_ = signal;
    awaiter.unlink();
    woken = true;
  });
  return woken;
}

void SignalHandlers::take_over(int signal) {
  if (handlers_.contains(signal)) return;
  // Allocates first: from here on only a system call can fail.
  Handler& handler = handlers_[signal];
  const Waker* nobody = nullptr;
  if (!g_slots[signal].waker.compare_exchange_strong(nobody, &waker_)) {
    handlers_.erase(signal);
    throw std::logic_error(fmt::format("signal {} is handled by another loop", signal));
  }
  g_slots[signal].pending.store(false);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  action.sa_mask = all_signals_but();
  if (::sigaction(signal, &action, &handler.before) != 0) {
    const int error = errno;
    handlers_.erase(signal);
    g_slots[signal].waker.store(nullptr);
    throw std::system_error(error, std::generic_category(), fmt::format("sigaction({})", signal));
  }
}

void SignalHandlers::give_back(int signal) noexcept {
  const auto found = handlers_.find(signal);
  ::sigaction(signal, &found->second.before, nullptr);
  g_slots[signal].waker.store(nullptr);
  // Another thread may have loaded the waker before the store above. Its handler ends within a few
  // instructions.
  while (g_inside.load() != 0) std::this_thread::yield();
  handlers_.erase(found);
}

bool SignalHandlers::take_pending(int signal) noexcept {
  Slot& slot = g_slots[signal];
  return slot.waker.load() == &waker_ && slot.pending.exchange(false);
}

}  // namespace squall
