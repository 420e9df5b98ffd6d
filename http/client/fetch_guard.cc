#include <squall/http/client/fetch_guard.h>

#include <algorithm>
#include <chrono>

namespace squall::http {
namespace {

// Between two looks at all fetches, as each of thousands may have a deadline of its own.
constexpr std::chrono::milliseconds kPause{5};

}  // namespace

FetchGuards::~FetchGuards() {
  close_all();
  loop_.remove_timeout(timer_);
}

void FetchGuards::add(FetchGuard& guard) noexcept {
  guard.previous_ = nullptr;
  guard.next_ = first_;
  if (first_) first_->previous_ = &guard;
  first_ = &guard;
  guard.linked_ = true;
}

void FetchGuards::remove(FetchGuard& guard) noexcept {
  if (!std::exchange(guard.linked_, false)) return;
  (guard.previous_ ? guard.previous_->next_ : first_) = guard.next_;
  if (guard.next_) guard.next_->previous_ = guard.previous_;
  if (looked_at_ == &guard) looked_at_ = guard.next_;
}

void FetchGuards::close_all() noexcept {
  while (FetchGuard* const guard = first_) {
    remove(*guard);
    guard->guards_ = nullptr;
    guard->outcome_ = FetchGuard::Outcome::closed;
    guard->work_.reset();
    guard->resume_.set(guard->caller_);
    loop_.call_soon(guard->resume_);
  }
}

void FetchGuards::set_timer(IOLoop::TimePoint when) {
  loop_.remove_timeout(timer_);
  timer_ = {};
  timer_ = loop_.call_at(when, [this] { look(); });
  timer_at_ = when;
}

// The timer has fired. What it was set for may long be over.
void FetchGuards::look() {
  timer_ = {};
  const IOLoop::TimePoint now = loop_.time();
  IOLoop::TimePoint next = IOLoop::TimePoint::max();
  looked_at_ = first_;
  while (looked_at_) {
    FetchGuard& here = *looked_at_;
    looked_at_ = here.next_;
    if (here.deadline_ > now) {
      next = std::min(next, here.deadline_);
      continue;
    }
    // Resumed through the queue: what goes on from here may destroy the others, and the client. The others
    // may also go with what the work holds.
    remove(here);
    here.guards_ = nullptr;
    here.outcome_ = FetchGuard::Outcome::timed_out;
    here.work_.reset();
    here.resume_.set(here.caller_);
    loop_.call_soon(here.resume_);
  }
  // What went with the work may have begun a fetch that is due before all of these.
  if (timer_) next = std::min(next, timer_at_);
  if (next != IOLoop::TimePoint::max()) set_timer(std::max(next, now + kPause));
}

void FetchGuard::set_deadline(IOLoop::TimePoint when) {
  deadline_ = when;
  if (when == IOLoop::TimePoint::max()) return;
  if (!guards_->timer_ || when < guards_->timer_at_) guards_->set_timer(when);
}

}  // namespace squall::http
