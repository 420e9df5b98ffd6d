#include <squall/websocket/handler/session.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/kept_handler.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/handshake_fields.h>
#include <squall/websocket/connection/accept.h>
#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/handshake_answer.h>
#include <squall/websocket/connection/message_stream.h>
#include <squall/websocket/handler/websocket_handler.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::websocket {

using web::Called;

// A handler behind its 101.
//
// Lifetime:  owns the handler, and its request until that is forgotten. The destructor calls on_close() if it
//            is still due.
class Session {
 public:
  explicit Session(std::unique_ptr<web::KeptHandler> kept) noexcept
      : kept_(std::move(kept)), handler_(&static_cast<WebSocketHandler&>(*kept_->handler)) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static Called begin(WebSocketHandler& handler, const SocketHooks& hooks, Task<>& pending);

  WebSocketConnection& connection() noexcept { return *handler_->connection_; }

  bool is_open() const noexcept { return state_ == State::open; }
  bool has_failed() const noexcept { return state_ == State::failed; }
  Called open(Task<>& waiting);
  // open() has ended.
  void opened();
  Called deliver(const Message& message, Task<>& waiting);
  // on_message() takes a MessageStream.
  bool takes_streams() const noexcept { return hooks().on_stream != nullptr; }
  Task<> deliver(MessageStream message) { return hooks().on_stream(*handler_, std::move(message)); }
  // Calls on_close() if it is due. Logs its exceptions.
  Called close(Task<>& waiting) noexcept;
  void hook_failed(const std::exception_ptr& error) noexcept;

 private:
  static bool refuse(WebSocketHandler& handler);
  static HandshakeAnswer choose_answer(WebSocketHandler& handler);
  static Task<> send_answer(WebSocketHandler& handler, const SocketHooks& hooks, HandshakeAnswer answer,
                            ConnectionOptions options);

  enum class State : std::uint8_t {
    opening,  // open() runs
    open,     // messages are read
    failed,   // a hook threw
  };

  const SocketHooks& hooks() const noexcept { return *handler_->hooks_; }
  bool is_normal_end(const std::exception_ptr& error) const noexcept;

  std::unique_ptr<web::KeptHandler> kept_;      // null once the request is forgotten
  std::unique_ptr<web::RequestHandler> owned_;  // then the handler
  WebSocketHandler* handler_;
  State state_ = State::opening;
  bool is_close_due_ = false;  // open() has succeeded, and on_close() was not called
};

// ---- The opening handshake.

// Sends the refusal as an ordinary response of the handler, with its headers and cookies.
bool Session::refuse(WebSocketHandler& handler) {
  AcceptOptions options;
  options.check_origin = [&handler](std::string_view origin) { return handler.check_origin(origin); };
  const std::optional<HandshakeRefusal> refusal = check_exchange(handler.exchange(), options);
  if (!refusal) return false;
  handler.set_status(refusal->status);
  for (const auto& [name, value] : refusal_fields(refusal->status)) handler.set_header(name, value);
  if (!refusal->body.empty()) handler.set_header("Content-Type", "text/plain; charset=UTF-8");
  handler.finish(refusal->body);
  return true;
}

HandshakeAnswer Session::choose_answer(WebSocketHandler& handler) {
  const http::ServerRequest& request = handler.request();
  HandshakeAnswer answer;
  select_compression(answer, request, handler.get_compression_options());
  const std::string field = request.headers().get("Sec-WebSocket-Protocol");
  const std::vector<std::string_view> proposed =
      parse_subprotocols(field).value_or(std::vector<std::string_view>());
  std::optional<std::string> selected = handler.select_subprotocol(proposed);
  if (!selected) return answer;
  if (std::find(proposed.begin(), proposed.end(), *selected) == proposed.end())
    throw_logic_error("select_subprotocol() has selected a subprotocol that the client did not propose");
  answer.terms.subprotocol = std::move(*selected);
  return answer;
}

Called Session::begin(WebSocketHandler& handler, const SocketHooks& hooks, Task<>& pending) {
  if (refuse(handler)) return Called::done;
  HandshakeAnswer answer = choose_answer(handler);
  pending = send_answer(handler, hooks, std::move(answer), handler.get_connection_options());
  return Called::pending;
}

// A task, because the server allows detach() only there.
Task<> Session::send_answer(WebSocketHandler& handler, const SocketHooks& hooks, HandshakeAnswer answer,
                            ConnectionOptions options) {
  http::Exchange& exchange = handler.exchange();
  if (!exchange.buffer().empty()) throw_logic_error("A WebSocket's handshake has no body: do not write()");
  handler.add_cookies_to_head();
  answer.write_to(exchange);
  handler.connection_ =
      switch_protocols(exchange, std::move(answer.terms), options, AcceptOptions::Drain::closes);
  handler.hooks_ = &hooks;
  handler.end_handshake();
  co_return;
}

Called begin_session(WebSocketHandler& handler, const SocketHooks& hooks, Task<>& pending) {
  return Session::begin(handler, hooks, pending);
}

// ---- The hooks.

Called Session::open(Task<>& waiting) {
  if (!hooks().open) return Called::done;
  const Called called = hooks().open(*handler_, kept_->all_groups, waiting);
  if (called == Called::not_found) throw web::HTTPError(404, "a path group was converted differently");
  return called;
}

void Session::opened() {
  if (!hooks().keeps_request) {
    handler_->forget_request();
    owned_ = std::move(kept_->handler);
    kept_.reset();
  }
  state_ = State::open;
  is_close_due_ = true;
}

Called Session::deliver(const Message& message, Task<>& waiting) {
  SocketHooks::DataHook control = nullptr;
  switch (message.type) {
    case MessageType::binary:
      if (hooks().takes_binary) break;
      connection().abort(close_code::kUnsupportedData, "only text messages are taken");
      return Called::done;
    case MessageType::text: break;
    case MessageType::ping: control = hooks().on_ping; break;
    case MessageType::pong: control = hooks().on_pong; break;
  }
  if (message.type == MessageType::text || message.type == MessageType::binary)
    return hooks().on_message(*handler_, message, waiting);
  return control ? control(*handler_, message.data, waiting) : Called::done;
}

Called Session::close(Task<>& waiting) noexcept {
  Called called = Called::done;
  if (std::exchange(is_close_due_, false) && hooks().on_close)
    web::call_and_log("on_close", [&] { called = hooks().on_close(*handler_, waiting); });
  return called;
}

// The hook has sent on a connection that is closing: part of normal traffic.
bool Session::is_normal_end(const std::exception_ptr& error) const noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const WebSocketClosedError&) {
    return handler_->connection_->is_closing();
  } catch (...) {
    return false;
  }
}

// After a normal end the session reads on: a client that has not answered close() may still send messages
// (WSK-57). An open() that was sending has done its work, so on_close() is due.
void Session::hook_failed(const std::exception_ptr& error) noexcept {
  std::exception_ptr failure = error;
  if (is_normal_end(error)) {
    failure = nullptr;
    try {
      if (state_ == State::opening) opened();
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (!failure) return;
  state_ = State::failed;
  web::call_and_log("log_exception", [&] { handler_->log_exception(failure); });
  web::call_and_log("close", [&] { connection().abort(close_code::kInternalError); });
}

Session::~Session() {
  Task<> waiting;
  if (close(waiting) == Called::done) return;
  // The task of the session is destroyed. A coroutine can run, but not wait.
  web::call_and_log("on_close", [&] {
    TaskGroup to_first_wait(connection().loop());
    to_first_wait.add(std::move(waiting));
  });
}

namespace {

// False once the connection is closed. A task of its own: a session that is idle has no room for the stream.
Task<bool> serve_stream(Session& session) {
  std::optional<MessageStream> message = co_await session.connection().begin_read();
  if (!message) co_return false;
  Task<> waiting = session.deliver(*std::move(message));
  if (waiting) co_await std::move(waiting);
  co_return true;
}

Task<> await_on_close(Task<> hook) {
  try {
    co_await std::move(hook);
  } catch (...) {
    web::log_uncaught_in("on_close");
  }
}

}  // namespace

Task<> run_session(std::unique_ptr<web::KeptHandler> kept) {
  Session session(std::move(kept));
  Task<> waiting;
  while (!session.has_failed()) {
    std::exception_ptr error;
    try {
      if (session.is_open() && session.takes_streams()) {
        const bool is_served = co_await serve_stream(session);
        if (!is_served) break;
      } else if (session.is_open()) {
        const std::optional<Message> message = co_await session.connection().read_any();
        if (!message) break;
        if (session.deliver(*message, waiting) == Called::pending) co_await std::move(waiting);
      } else {
        if (session.open(waiting) == Called::pending) co_await std::move(waiting);
        session.opened();
      }
    } catch (...) {
      error = std::current_exception();
    }
    waiting.reset();
    if (error) session.hook_failed(std::exchange(error, nullptr));
  }
  if (session.has_failed()) co_await session.connection().wait_closed();
  if (session.close(waiting) == Called::pending) co_await await_on_close(std::move(waiting));
}

}  // namespace squall::websocket
