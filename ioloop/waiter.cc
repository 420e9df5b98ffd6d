#include <squall/ioloop/waiter.h>

#include <squall/ioloop/ioloop.h>

#include <cassert>
#include <utility>

namespace squall {

bool WaiterList::wake_one() noexcept {
  if (waiters_.empty()) return false;
  static_cast<Waiter&>(waiters_.front()).wake();
  return true;
}

void WaiterList::wake_all() noexcept {
  while (wake_one()) {
  }
}

void Waiter::wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept {
  assert(!linked() && "this waiter waits already");
  set(coroutine);
  list.waiters_.push_back(*this);
  in_list_ = true;
}

void Waiter::wake() noexcept {
  if (!std::exchange(in_list_, false) || !linked()) return;
  unlink();
  loop_.call_soon(static_cast<LoopHook&>(*this));
}

void Waiter::withdraw() noexcept {
  unlink();
  in_list_ = false;
}

}  // namespace squall
