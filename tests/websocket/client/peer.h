#pragma once

#include <squall/http.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/http_fixture.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::testing {

inline Task<> echo_messages(WebSocketConnection& socket) {
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    if (!message) co_return;
    if (!socket.is_closing()) co_await socket.write_message(*message);
  }
}

// A server of WebSockets on a free port of 127.0.0.1. Echoes, unless `serve` is replaced.
class SocketServer {
 public:
  using Serve = std::function<Task<>(WebSocketConnection& socket)>;
  using Refuse = std::function<bool(http::Exchange& exchange)>;

  explicit SocketServer(IOLoop& loop)
      : delegate_([this](http::Exchange& exchange, Task<>& pending) { pending = handle(exchange); }),
        server(delegate_, loop) {
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server.listen(0, listen);
    log::access().set_level(log::Level::none);
    options.compression = DeflateOptions();
  }
  ~SocketServer() {
    if (access_level_)
      log::access().set_level(*access_level_);
    else
      log::access().inherit_level();
  }

  std::string url(std::string_view path = "/chat", std::string_view scheme = "ws") const {
    return fmt::format("{}://127.0.0.1:{}{}", scheme, server.port(), path);
  }

  AcceptOptions options{};
  Serve serve = echo_messages;
  Refuse refuse{};  // answers the request itself, and returns true
  std::vector<http::Headers> asked;
  std::vector<std::string> targets;
  int open = 0;  // connections whose function runs

 private:
  struct Count {
    explicit Count(int& count) : count(count) { ++count; }
    ~Count() { --count; }
    int& count;
  };

  Task<> handle(http::Exchange& exchange) {
    asked.push_back(exchange.request().headers());
    targets.emplace_back(exchange.request().target());
    if (refuse && refuse(exchange)) co_return;
    const auto socket = accept(exchange, options);
    if (!socket) co_return;
    const Count counted(open);
    co_await serve(*socket);
  }

  std::optional<log::Level> access_level_ = log::access().own_level();
  squall::testing::FunctionDelegate delegate_;

 public:
  http::HTTPServer server;
};

// Answers with a status and a header, for SocketServer::refuse.
inline bool answer_with(http::Exchange& exchange, int status, const std::string& name = {},
                        const std::string& value = {}) {
  exchange.set_status(status);
  if (!name.empty()) exchange.headers().set(name, value);
  exchange.finish("refused");
  return true;
}

// The value of a header in the text of a request; empty without it.
inline std::string field_of(const std::string& request, const std::string& name) {
  const std::string begin = "\r\n" + name + ": ";
  const std::size_t at = request.find(begin);
  if (at == request.npos) return {};
  return request.substr(at + begin.size(), request.find("\r\n", at + 2) - at - begin.size());
}

// The head of an answer that opens the WebSocket of `request`; with more lines.
inline std::string switching(const std::string& request, std::string_view more = {}) {
  return fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\n{}\r\n",
      accept_key(field_of(request, "Sec-WebSocket-Key")), more);
}

// The URL of an AnswerServer with the scheme ws.
inline std::string ws_url(const squall::testing::AnswerServer& server, std::string_view path = "/") {
  return fmt::format("ws://{}{}", server.authority(), path);
}

// Sends `bytes(request)` as the answer to each request, and holds the connection until the client ends it.
inline squall::testing::AnswerServer::Script answering(
    std::function<std::string(const std::string& request)> bytes) {
  struct Talk {
    static Task<> run(IOStream& stream, const std::function<std::string(const std::string&)>& bytes) {
      const std::string request = co_await squall::testing::read_request(stream);
      if (request.empty()) co_return;
      co_await stream.write(bytes(request));
      for (;;) {
        const ReadView more = co_await stream.read_some(std::nothrow);
        if (more.empty()) co_return;
      }
    }
  };
  return [bytes = std::move(bytes)](IOStream& stream) { return Talk::run(stream, bytes); };
}

}  // namespace squall::websocket::testing
