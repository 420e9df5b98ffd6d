#include <squall/ioloop/loop/future_state.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

namespace squall::detail {

void log_unheard(const std::exception_ptr& error) noexcept {
  log::application().error("Future exception was never retrieved: {}", error_text(error));
}

void log_after_cancel(const std::exception_ptr& error) noexcept {
  log::application().error("Exception after Future was cancelled: {}", error_text(error));
}

}  // namespace squall::detail
