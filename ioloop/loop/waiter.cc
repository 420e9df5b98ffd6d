#include <squall/ioloop/loop/waiter.h>

#include <cassert>

namespace squall {

WaiterList::~WaiterList() {
  while (!empty()) waiters_.front().leave_list();
}

bool WaiterList::wake_one() noexcept {
  if (empty()) return false;
  waiters_.front().wake();
  return true;
}

void WaiterList::wake_all() noexcept {
  while (wake_one()) {
  }
}

bool WaiterList::promise_to_one(WaiterList& promised) noexcept {
  if (empty()) return false;
  waiters_.front().promise(promised);
  return true;
}

void WaiterList::withdraw_all() noexcept {
  while (!empty()) waiters_.front().withdraw();
}

void Waiter::wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept {
  assert(!list_ && !woken_ && "this waiter is waiting already");
  resume_.set(coroutine);
  join_list(list);
}

void Waiter::wake() noexcept {
  if (!waiting()) return;
  leave_list();
  woken_ = true;
  loop_->call_soon(resume_);
}

void Waiter::promise(WaiterList& promised) noexcept {
  assert(waiting() && "only a waiter that waits can get a promise");
  leave_list();
  join_list(promised);
  woken_ = true;
  loop_->call_soon(resume_);
}

bool Waiter::take_promise() noexcept {
  if (!promised()) return false;
  leave_list();
  woken_ = false;
  return true;
}

bool Waiter::leave() noexcept {
  const bool was_promised = promised();
  if (list_) leave_list();
  woken_ = false;
  resume_.unlink();
  return was_promised;
}

void Waiter::join_list(WaiterList& list) noexcept {
  list_ = &list;
  list.waiters_.push_back(*this);
  ++list.size_;
}

void Waiter::leave_list() noexcept {
  unlink();
  --list_->size_;
  list_ = nullptr;
}

}  // namespace squall
