#include <squall/websocket/handler/handshake_handler.h>

#include <squall/ioloop/base/errors.h>

namespace squall::websocket {

void HandshakeHandler::throw_switched() { throw_logic_error("Method not supported for Web Sockets"); }

void HandshakeHandler::throw_forgotten() {
  throw_logic_error("The handshake's request is gone: use it in open(), or set keep_request");
}

}  // namespace squall::websocket
