#include <squall/http/client/fetch_guard.h>

#include <squall/ioloop/base/fatal.h>

#include <algorithm>
#include <chrono>

namespace squall::http {
namespace {

// The least time between two checks of all guards, as thousands of guards may have different deadlines.
constexpr std::chrono::milliseconds kPause{5};

}  // namespace

FetchGuards::~FetchGuards() {
  if (calls_ > 0)
    detail::fail_fast(
        "a callback of a request destroys the HTTP client that calls it: close() the client instead");
  close_all();
  loop_->remove_timeout(timer_);
}

void FetchGuards::close_all() noexcept {
  while (!running_.empty()) running_.front().cut(FetchGuard::State::closed);
}

void FetchGuards::set_timer(IOLoop::TimePoint when) {
  loop_->remove_timeout(timer_);
  timer_ = {};
  timer_ = loop_->call_at(when, [this] { check_deadlines(); });
  timer_at_ = when;
}

void FetchGuards::check_deadlines() {
  timer_ = {};
  const IOLoop::TimePoint now = loop_->time();
  IOLoop::TimePoint next = IOLoop::TimePoint::max();
  running_.for_each([now, &next](FetchGuard& guard) {
    if (guard.deadline_ <= now) {
      guard.cut(FetchGuard::State::timed_out);
    } else {
      next = std::min(next, guard.deadline_);
    }
  });
  // A fetch that began during the check may have set the timer.
  if (timer_) next = std::min(next, timer_at_);
  if (next != IOLoop::TimePoint::max()) set_timer(std::max(next, now + kPause));
}

std::coroutine_handle<> FetchGuard::begin(Task<> work, std::coroutine_handle<> caller) noexcept {
  work_ = std::move(work);
  caller_ = caller;
  state_ = State::running;
  guards_.running_.push_back(*this);
  return std::move(work_).operator co_await().await_suspend(caller);
}

FetchGuard::State FetchGuard::finish() {
  if (state_ == State::running) {
    state_ = State::ended;
    unlink();
    work_.result();
  }
  return state_;
}

// The caller resumes through the queue of the loop, because it may destroy other guards and the client.
void FetchGuard::cut(State state) noexcept {
  unlink();
  state_ = state;
  work_.reset();
  resume_.set(caller_);
  guards_.loop_->call_soon(resume_);
}

void FetchGuard::set_deadline(IOLoop::TimePoint when) {
  deadline_ = when;
  if (when == IOLoop::TimePoint::max()) return;
  if (!guards_.timer_ || when < guards_.timer_at_) guards_.set_timer(when);
}

}  // namespace squall::http
