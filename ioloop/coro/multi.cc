#include <squall/ioloop/coro/multi.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

namespace squall::detail {

void log_further_error(const std::exception_ptr& error) noexcept {
  log::application().error("Multiple exceptions in multi: {}", error_text(error));
}

// Starts as many children as the limit allows; true if all have ended.
bool MultiOwner::start_some() noexcept {
  // A child that ends within start() does not start the next one itself, so a million such children do not
  // nest.
  starting_ = true;
  while (begun_ != size_ && at_work_ < limit_) {
    ++at_work_;
    start(begun_++);
  }
  starting_ = false;
  return at_work_ == 0;
}

std::coroutine_handle<> MultiOwner::task_ended(std::size_t) noexcept {
  --at_work_;
  if (starting_ || !start_some()) return std::noop_coroutine();
  return caller_;
}

}  // namespace squall::detail
