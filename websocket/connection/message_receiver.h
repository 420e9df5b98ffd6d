#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/websocket/connection/message.h>

namespace squall::websocket {

class WebSocketConnection;

// Gets the messages of connections that are given to it by WebSocketConnection::set_receiver(), in place of a
// coroutine that reads. So an idle connection needs no coroutine. One receiver may serve many connections.
//
//     class Echo final : public MessageReceiver {
//      public:
//       Task<> on_message(WebSocketConnection& socket, const Message& message) override {
//         socket.write_message(message);
//         return {};
//       }
//       void on_close(WebSocketConnection& socket) override { sockets.destroy(socket); }
//
//       ConnectionGroup sockets;
//     };
//
// on_message() and on_control() return a task that the connection runs, or an empty task if the work is done.
// The connection receives nothing until the task has ended: back-pressure. The functions may send, close()
// and, except within a task, destroy the connection, which destroys a task that has not ended.
//
// Thread:    the loop's thread.
// Lifetime:  outlives the connections.
// Errors:    an exception of on_message(), on_control() or a task closes the connection with 1011, and is
//            logged unless it is a StreamClosedError. Then on_close() follows. A WebSocketClosedError of a
//            connection that is closing does nothing.
class MessageReceiver {
 public:
  // A text or binary message, which is valid until the function returns and its task has ended.
  virtual Task<> on_message(WebSocketConnection& socket, const Message& message) = 0;
  // A ping, whose pong was sent before (WSK-22), or a pong.
  virtual Task<> on_control(WebSocketConnection&, const Message&) { return {}; }
  // The connection is closed. Called exactly once, from the loop; no other call follows. May destroy the
  // connection. An exception is logged.
  virtual void on_close(WebSocketConnection& socket) = 0;

 protected:
  ~MessageReceiver() = default;
};

}  // namespace squall::websocket
