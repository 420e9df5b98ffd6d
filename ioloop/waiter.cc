#include <squall/ioloop/waiter.h>

#include <squall/ioloop/ioloop.h>

#include <cassert>
#include <utility>

namespace squall {

WaiterList::~WaiterList() {
  while (first_) first_->leave_list();
}

bool WaiterList::wake_one() {
  if (!first_) return false;
  first_->wake();
  return true;
}

void WaiterList::wake_all() {
  while (wake_one()) {
  }
}

void Waiter::wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept {
  assert(!list_ && ticket_ == 0 && "this waiter waits already");
  coroutine_ = coroutine;
  list_ = &list;
  previous_ = std::exchange(list.last_, this);
  next_ = nullptr;
  (previous_ ? previous_->next_ : list.first_) = this;
}

void Waiter::wake() {
  if (!list_) return;
  ticket_ = loop_.resume_soon(coroutine_);
  leave_list();
}

void Waiter::withdraw() noexcept {
  if (list_) leave_list();
  if (const std::uint64_t ticket = std::exchange(ticket_, 0)) loop_.withdraw(ticket);
}

void Waiter::leave_list() noexcept {
  (previous_ ? previous_->next_ : list_->first_) = next_;
  (next_ ? next_->previous_ : list_->last_) = previous_;
  list_ = nullptr;
}

}  // namespace squall
