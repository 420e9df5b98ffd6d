#include <squall/websocket/connection/message.h>

#include <squall/ioloop/base/utf8.h>

#include <cassert>
#include <stdexcept>

namespace squall::websocket {

Opcode opcode_of(MessageType type, [[maybe_unused]] std::string_view data) {
  switch (type) {
    case MessageType::text:
      assert(is_utf8(data) && "a text message must be UTF-8: send other bytes as a binary message");
      return Opcode::text;
    case MessageType::binary: return Opcode::binary;
    default: throw std::invalid_argument("pings and pongs are sent by ping() and pong()");
  }
}

}  // namespace squall::websocket
