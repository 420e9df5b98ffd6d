#include <squall/http/client/admission_queue.h>

#include <iterator>

namespace squall::http {

void AdmissionQueue::end(Host& host) noexcept {
  --active_;
  --host.active;
  if (waiting_ == 0) return;
  if (!host.linked()) update_ready(host);
  give_slots();
}

void AdmissionQueue::give_slots() noexcept {
  while (!ready_.empty() && active_ < limits_.max_active) {
    Host& host = ready_.front();
    Waiter& waiter = host.waiting.front();
    start(host);
    remove(waiter);
    waiter.state = Waiter::State::granted;
    loop_->call_soon(waiter.resume);
  }
}

void AdmissionQueue::add(Waiter& waiter) noexcept {
  Host& host = waiter.host;
  const bool is_first = host.waiting.empty();
  waiter.state = Waiter::State::waiting;
  waiter.number = next_number_++;
  host.waiting.push_back(waiter);
  ++waiting_;
  if (is_first) update_ready(host);
}

void AdmissionQueue::remove(Waiter& waiter) noexcept {
  Host& host = waiter.host;
  const bool was_first = &host.waiting.front() == &waiter;
  waiter.state = Waiter::State::outside;
  waiter.unlink();
  --waiting_;
  if (was_first) update_ready(host);
}

// Takes the host out of the ready list. Puts it back, ordered by its first waiter, if the host has a waiter
// and a free slot. The first waiter is usually one of the latest, so the search begins at the end.
void AdmissionQueue::update_ready(Host& host) noexcept {
  host.unlink();
  if (host.waiting.empty() || !has_room(host)) return;
  const std::uint64_t number = host.waiting.front().number;
  auto position = ready_.end();
  while (position != ready_.begin() && std::prev(position)->waiting.front().number > number) --position;
  ready_.insert_before(position, host);
}

AdmissionQueue::SlotAwaiter::~SlotAwaiter() {
  if (waiter_.state == Waiter::State::granted) queue_.end(waiter_.host);
  if (waiter_.state == Waiter::State::waiting) queue_.remove(waiter_);
}

bool AdmissionQueue::SlotAwaiter::await_ready() noexcept {
  // If a slot is free, all waiting requests are for hosts at their limit, so this request overtakes none of
  // them.
  if (!queue_.has_slot(waiter_.host)) return false;
  queue_.start(waiter_.host);
  waiter_.state = Waiter::State::granted;
  return true;
}

void AdmissionQueue::SlotAwaiter::await_suspend(std::coroutine_handle<> coroutine) noexcept {
  waiter_.resume.set(coroutine);
  queue_.add(waiter_);
}

}  // namespace squall::http
