#include <squall/websocket/connection/message_target.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <utility>

namespace squall::websocket {

void MessageTarget::resume_read(IOLoop& loop) {
  PendingRead& done = *std::exchange(read, nullptr);
  done.is_waiting = false;
  loop.call(done.resume);
}

void MessageTarget::end(WebSocketConnection& connection) {
  if (read) return resume_read(connection.loop());
  if (!receiver) return;
  try {
    std::exchange(receiver, nullptr)->on_close(connection);
  } catch (...) {
    log::application().error("Uncaught exception behind the end of a WebSocket: {}", current_what());
  }
}

}  // namespace squall::websocket
