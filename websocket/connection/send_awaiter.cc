#include <squall/websocket/connection/send_awaiter.h>

#include <squall/websocket/connection/websocket_connection.h>

namespace squall::websocket {

bool SendAwaiter::await_ready() {
  // A connection rests only when all is sent.
  is_sent_ = connection_->rests() != rests_;
  return is_sent_ || write_.await_ready();
}

}  // namespace squall::websocket
