#pragma once

#include <squall/web/handler/json_text.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/send_awaiter.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/handler/handshake_handler.h>
#include <squall/websocket/handler/socket_hooks.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace squall::websocket {

// Base class of handlers of a web::Application that talk by WebSocket: one object for each connection.
//
//     class ChatSocket : public websocket::WebSocketHandler {
//      public:
//       void initialize(Room& room) { room_ = &room; }
//       void open(int number) { room_->join(*this, number); }
//       Task<> on_message(std::string_view text) { co_await room_->say(text); }
//       void on_close() { room_->leave(*this); }
//      ...
//     };
//     web::Application app({web::url<ChatSocket>(R"(/chat/(\d+))", std::ref(room))});
//
// A derived class has on_message(), and may have the others, public and not overloaded:
//   open(...)                  runs behind the 101. Parameters take the route's groups, by type, as those of
//                              a verb: a group that does not convert means a 404. No message is read before
//                              open() has ended
//   on_message(std::string_view text)   runs for each text; a binary message closes the connection with 1003
//   on_message(const Message& message)  runs for each message, of either type. The data is valid until
//                              on_message() has ended, and so long no further message is read
//   on_message(MessageStream message)   runs for each message when it begins: a Task<> that reads the pieces
//                              of a message larger than memory. The rest that it does not read is dropped
//   on_ping(std::string_view)  runs behind the pong that answers the ping
//   on_pong(std::string_view)
//   on_close()                 runs when the connection has ended: exactly once after open(), and not if
//                              open() has failed. close_code() and close_reason() are what the client sent
// and as a constant:
//   keep_request = false       the request, arguments, cookies and path groups are there until open() has
//                              ended, and no longer. It saves some 2 KB for each connection. The user and
//                              locale() stay those of the request; a get_user_locale() that needs the
//                              request is asked in time if open() calls locale()
// These hooks return void or Task<>; they are found at compile time, and need not be virtual. The members of
// a RequestHandler, but for get(), have their meaning for the opening handshake: initialize(), prepare(),
// which may refuse it by an ordinary response, authenticated, and on_finish(), which runs at the 101. Their
// order: prepare, get_compression_options, select_subprotocol, the 101 with the access log's line, on_finish,
// open, messages, on_close (WSK-30). Behind the 101, functions that make a response throw std::logic_error.
//
// Thread:    the loop's thread only.
// Lifetime:  made and destroyed by the framework; destroyed behind on_close(). A program that keeps a pointer
//            to the handler removes the pointer in on_close(). When the server is destroyed, on_close() runs
//            to its first wait. A drain of the server closes the connection with 1001.
// Errors:    an exception of a hook is logged with the request, and the connection is closed with 1011; no
//            other connection is affected. WebSocketClosedError of a connection that is closing ends
//            the hook alone, and is not logged.
class WebSocketHandler : public HandshakeHandler {
 public:
  WebSocketHandler();
  ~WebSocketHandler() override;

  // ---- The handshake. May be overridden.

  // Whether a page of this origin, such as `https://example.com`, may connect: by default one of the
  // request's own host and port (WSK-10). Browsers let every page open a WebSocket with the user's cookies.
  // Not called for a request without an origin, which is not of a browser.
  virtual bool check_origin(std::string_view origin);
  // Which of the client's subprotocols to use; nullopt: none. Called exactly once, with an empty list if the
  // client proposes none. A result that is not in the list is an error of the handler: 500 (WSK-11).
  virtual std::optional<std::string> select_subprotocol(std::span<const std::string_view> proposed);
  // permessage-deflate, if the client offers it; nullopt, the default: messages are not compressed (WSK-28).
  virtual std::optional<DeflateOptions> get_compression_options() { return std::nullopt; }
  // Limits, pings and the queue of post_message(). By default with the `websocket_...` of web::Settings
  // (WSK-29).
  //     ConnectionOptions get_connection_options() override {
  //       ConnectionOptions options = WebSocketHandler::get_connection_options();
  //       options.max_message_size = 64 * 1024;
  //       return options;
  //     }
  virtual ConnectionOptions get_connection_options();

  // ---- From the 101 on. Before it they throw std::logic_error.

  // As WebSocketConnection: `co_await` waits for a slow client, and a closed connection throws
  // WebSocketClosedError.
  SendAwaiter write_message(std::string_view data, MessageType type = MessageType::text) {
    return connection().write_message(data, type);
  }
  SendAwaiter write_message(const char* data, MessageType type = MessageType::text) {
    return connection().write_message(data, type);
  }
  SendAwaiter write_message(std::string&& data, MessageType type = MessageType::text) {
    return connection().write_message(std::move(data), type);
  }
  SendAwaiter write_message(const Message& message) { return connection().write_message(message); }
  // The value as JSON: of a type with a JSON text, see web::JsonText.
  template <class T>
  requires requires(web::JsonText& out, const T& value) { to_json_text(out, value); }
  SendAwaiter write_message(const T& value) {
    return connection().write_message(json_of(value));
  }
  // For senders that do not wait: while the client is slow, the message waits in a queue with limits, of
  // ConnectionOptions::queue. False if it was dropped, and on a closed connection.
  bool post_message(std::string data, MessageType type = MessageType::text) {
    return connection().post_message(std::move(data), type);
  }
  template <class T>
  requires requires(web::JsonText& out, const T& value) { to_json_text(out, value); }
  bool post_message(const T& value) {
    return connection().post_message(json_of(value));
  }
  // At most 125 bytes: std::invalid_argument (WSK-25).
  SendAwaiter ping(std::string_view data = {}) { return connection().ping(data); }
  // Closes the connection behind the messages; further calls do nothing (WSK-55).
  void close(std::optional<std::uint16_t> code = std::nullopt, std::string_view reason = {}) {
    connection().close(code, reason);
  }
  bool is_closing() { return connection().is_closing(); }
  void set_nodelay(bool on) { connection().set_nodelay(on); }
  // The content of the client's close frame; no code without one (WSK-23).
  std::optional<std::uint16_t> close_code() { return connection().close_code(); }
  const std::string& close_reason() { return connection().close_reason(); }
  // Empty without a subprotocol.
  const std::string& selected_subprotocol() { return connection().selected_subprotocol(); }
  // Its messages are read by the handler's hooks: do not read.
  WebSocketConnection& connection() {
    if (!connection_) throw_not_open();
    return *connection_;
  }

  // Logs an exception of a hook.
  void log_exception(const std::exception_ptr& error) override;

  // ---- For url<H>(): the hooks of H.

  template <class H>
  static constexpr bool check_hooks() {
    return detail::check_socket_hooks<H>();
  }
  template <class H>
  static constexpr void complete_type(web::HandlerType& type) {
    detail::complete_socket_type<H>(type);
  }

 private:
  friend class Session;

  template <class T>
  static std::string json_of(const T& value) {
    web::JsonText out;
    to_json_text(out, value);
    return std::move(out.text);
  }
  [[noreturn]] static void throw_not_open();

  std::unique_ptr<WebSocketConnection> connection_;  // null before the 101
  const SocketHooks* hooks_ = nullptr;               // from the 101 on
};

}  // namespace squall::websocket
