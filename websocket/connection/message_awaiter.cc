#include <squall/websocket/connection/message_awaiter.h>

#include <squall/websocket/connection/websocket_connection.h>

#include <utility>

namespace squall::websocket {

bool MessageAwaiter::await_ready() { return connection_.try_read(*this); }

void MessageAwaiter::await_suspend(std::coroutine_handle<> reader) {
  resume_.set(reader);
  is_waiting_ = true;
  connection_.begin_wait(*this);
}

std::optional<Message> MessageAwaiter::await_resume() {
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return result_;
}

void MessageAwaiter::withdraw() noexcept { connection_.leave(*this); }

}  // namespace squall::websocket
