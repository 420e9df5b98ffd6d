#include <squall/websocket/connection/message_awaiter.h>

#include <squall/websocket/connection/websocket_connection.h>

#include <exception>
#include <utility>

namespace squall::websocket {

bool MessageAwaiter::await_ready() { return connection_.try_read(read_); }

void MessageAwaiter::await_suspend(std::coroutine_handle<> reader) {
  read_.resume.set(reader);
  read_.is_waiting = true;
  connection_.begin_wait(read_);
}

std::optional<Message> MessageAwaiter::await_resume() {
  if (read_.error) std::rethrow_exception(std::exchange(read_.error, nullptr));
  return read_.result;
}

void MessageAwaiter::withdraw() noexcept { connection_.leave(); }

}  // namespace squall::websocket
