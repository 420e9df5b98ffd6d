#include <squall/ioloop/loop/signal_awaiter.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/signal_handlers.h>

#include <stdexcept>

namespace squall {

SignalAwaiter::SignalAwaiter(IOLoop& loop, std::initializer_list<int> signals) noexcept : loop_(loop) {
  for (const int signal : signals) {
    if (SignalHandlers::valid(signal)) {
      wanted_ |= SignalHandlers::bit(signal);
    } else {
      valid_ = false;
    }
  }
}

bool SignalAwaiter::await_ready() {
  if (!valid_) throw std::invalid_argument("signal(): not a valid signal number");
  if (loop_->has_ended()) return false;
  got_ = loop_->signal_handlers().claim(wanted_);
  return got_ != 0;
}

void SignalAwaiter::await_suspend(std::coroutine_handle<> coroutine) noexcept {
  if (loop_->has_ended()) return;
  resume_.set(coroutine);
  loop_->signal_handlers().wait(*this);
}

}  // namespace squall
