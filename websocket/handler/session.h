#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/handler_type.h>

#include <memory>

// The life of a WebSocketHandler: its opening handshake, and then its hooks.
namespace squall::websocket {

class WebSocketHandler;
struct SocketHooks;

// Answers the opening handshake: refuses it, or stores in `pending` the task that sends the 101 and takes the
// connection. Throws std::logic_error for mistakes of the handler.
web::Called begin_session(WebSocketHandler& handler, const SocketHooks& hooks, Task<>& pending);

// HandlerType::outlive of a WebSocketHandler: reads messages, and calls the hooks, until the connection has
// ended. Destroying the task ends the connection, with 1001 if it is open.
Task<> run_session(std::unique_ptr<web::KeptHandler> kept);

}  // namespace squall::websocket
