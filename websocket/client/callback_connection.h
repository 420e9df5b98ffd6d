#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/websocket/client/message_callback.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <memory>
#include <optional>

namespace squall::websocket {

// A connection whose messages go to a function (WSK-86), which at the end is called once with std::nullopt.
//
//     auto socket = co_await websocket_connect("ws://127.0.0.1:8888/chat");
//     CallbackConnection chat(std::move(socket), [](std::optional<Message> message) {
//       if (message) fmt::print("{}\n", message->data);
//     });
//     chat->write_message("hello");
//
// The function is never called before the constructor has returned, and never while its last call runs: if it
// returns a task, nothing is received until the task ends, so a slow function slows the peer down. It may
// close the connection, and must not destroy this object: that ends the program with a message. A read of the
// connection throws std::logic_error, since this object reads.
//
// Thread:    the connection's loop.
// Lifetime:  owns the connection. Destroying it destroys the function's task, and then the connection.
// Errors:    an exception of the function is logged and closes the connection with 1011; the function then
//            gets no more messages, only the end.
class CallbackConnection {
 public:
  // Throws std::invalid_argument if the connection is null or the function is empty.
  CallbackConnection(std::unique_ptr<WebSocketConnection> socket, MessageCallback on_message);
  ~CallbackConnection();
  CallbackConnection(const CallbackConnection&) = delete;
  CallbackConnection& operator=(const CallbackConnection&) = delete;

  WebSocketConnection& operator*() const noexcept { return *socket_; }
  WebSocketConnection* operator->() const noexcept { return socket_.get(); }
  // The function was called with std::nullopt, and its task has ended.
  bool has_ended() const noexcept { return reader_.empty(); }
  // Waits until has_ended(). The function itself must not await it.
  TaskGroup::Join join() noexcept { return reader_.join(); }

 private:
  Task<> run();
  Task<> call(std::optional<Message> message);

  std::unique_ptr<WebSocketConnection> socket_;
  MessageCallback on_message_;
  bool is_calling_ = false;
  TaskGroup reader_;
};

}  // namespace squall::websocket
