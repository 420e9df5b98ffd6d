// The opening handshake of a server.

#include <squall/websocket/connection/accept.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "support/hex.h"
#include "support/http_fixture.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::accept_test {
namespace {

using squall::testing::HTTPFixture;
using squall::testing::Live;
using squall::testing::RawPeer;
using squall::testing::throws;
using squall::testing::to_hex;
using squall::testing::without_date;
using testing::frame;

Task<> echo(http::Exchange& exchange, const AcceptOptions& options, std::string* subprotocol = nullptr) {
  const Live work;
  const auto socket = accept(exchange, options);
  if (!socket) co_return;
  if (subprotocol) *subprotocol = socket->selected_subprotocol();
  for (;;) {
    const std::optional<Message> message = co_await socket->read_message();
    if (!message) co_return;
    co_await socket->write_message(*message);
  }
}

struct Server : HTTPFixture {
  explicit Server(AcceptOptions options = {})
      : HTTPFixture([this](http::Exchange& exchange, Task<>& pending) {
          pending = echo(exchange, this->options, &subprotocol);
        }),
        options(std::move(options)) {}

  // The answer to a request; without its Date.
  std::string ask(const std::string& request) {
    RawPeer peer = connect();
    peer.send(request);
    std::string got;
    loop.run_until([&] {
      peer.drain(got);
      const std::size_t end = got.find("\r\n\r\n");
      if (end == got.npos) return false;
      const std::size_t length = got.find("Content-Length: ");
      return length == got.npos || got.size() >= end + 4 + std::stoul(got.substr(length + 16));
    });
    peer.close();
    loop.run_until([] { return Live::count == 0; });
    return without_date(got);
  }

  AcceptOptions options;
  std::string subprotocol;
};

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

struct Fields {
  std::string line = "GET /chat HTTP/1.1";
  std::string host = "h.example:80";
  std::string upgrade = "websocket";
  std::string connection = "Upgrade";
  std::string version = "13";
  std::string key = std::string(kKey);
  std::string more{};  // whole lines
};

std::string request(const Fields& fields) {
  return fmt::format(
      "{}\r\nHost: {}\r\nUpgrade: {}\r\nConnection: {}\r\nSec-WebSocket-Version: {}\r\n"
      "Sec-WebSocket-Key: {}\r\n{}\r\n",
      fields.line, fields.host, fields.upgrade, fields.connection, fields.version, fields.key, fields.more);
}

std::string status_of(const std::string& answer) { return answer.substr(9, 3); }

TEST_CASE("an opening handshake is answered with 101 and the key's proof (WSK-12, WSK-13)", "[accept]") {
  Server server;
  CHECK(server.ask(request({})) ==
        "HTTP/1.1 101 Switching Protocols\r\nServer: Squall/0.1.0\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  CHECK(server.server.connections() == 0);
}

TEST_CASE("frames right behind the head are read, and echoed behind the 101", "[accept]") {
  Server server;
  RawPeer peer = server.connect();
  peer.send(request({}) + frame(Role::client, Opcode::text, "early"));
  std::string got;
  server.loop.run_until([&] {
    peer.drain(got);
    return got.ends_with("early");
  });
  CHECK(to_hex(got.substr(got.find("\r\n\r\n") + 4)) == "81056561726c79");
  peer.send(frame(Role::client, Opcode::close, testing::close_payload(1000)));
  got.clear();
  server.loop.run_until([&] { return peer.drain(got); });
  CHECK(to_hex(got) == "880203e8");
  server.loop.run_until([] { return Live::count == 0; });
}

TEST_CASE("fields are read without case, and from lists", "[accept]") {
  Server server;
  CHECK(status_of(server.ask(request({.upgrade = "WebSocket", .connection = "keep-alive, UPGRADE"}))) ==
        "101");
  CHECK(status_of(server.ask(request({.upgrade = "h2c, websocket"}))) == "101");
  for (const char* version : {"7", "8", "13"})
    CHECK(status_of(server.ask(request({.version = version}))) == "101");
}

TEST_CASE("requests that open no WebSocket are refused as the rows say (WSK-01 to WSK-05)", "[accept]") {
  Server server;
  const auto body = [](const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); };
  const auto refused = [&](const Fields& fields) {
    const std::string answer = server.ask(request(fields));
    return status_of(answer) + ' ' + body(answer);
  };
  CHECK(refused({.upgrade = "h2c"}) == "400 Can \"Upgrade\" only to \"WebSocket\".");
  CHECK(refused({.connection = "keep-alive"}) == "400 \"Connection\" must be \"Upgrade\".");
  CHECK(refused({.line = "GET / HTTP/1.0"}) == "400 \"Connection\" must be \"Upgrade\".");
  CHECK(refused({.more = "Origin: http://evil.example\r\n"}) == "403 Cross origin websockets not allowed");
  CHECK(refused({.more = "Sec-WebSocket-Origin: http://evil.example\r\n"}) ==
        "403 Cross origin websockets not allowed");
  CHECK(refused({.version = "12"}) == "426 ");
  CHECK(refused({.version = ""}) == "426 ");
  CHECK(refused({.version = "13", .more = "Sec-WebSocket-Version: 13\r\n"}) == "426 ");
  CHECK(refused({.key = ""}) == "400 Missing/Invalid WebSocket headers");
  CHECK(refused({.key = "c2hvcnQ="}) == "400 Missing/Invalid WebSocket headers");
  CHECK(refused({.more = fmt::format("Sec-WebSocket-Key: {}\r\n", kKey)}) ==
        "400 Missing/Invalid WebSocket headers");
  CHECK(refused({.host = ""}) == "400 Missing/Invalid WebSocket headers");
  CHECK(status_of(server.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == "400");
}

TEST_CASE("the first check that fails decides, in the order of the rows", "[accept]") {
  Server server;
  const std::string evil = "Origin: http://evil.example\r\n";
  CHECK(status_of(server.ask(request({.connection = "close", .version = "1", .more = evil}))) == "400");
  CHECK(status_of(server.ask(request({.version = "1", .key = "", .more = evil}))) == "403");
  CHECK(status_of(server.ask(request({.version = "1", .key = ""}))) == "426");
}

TEST_CASE("a refusal names what the client may do, and the connection stays usable", "[accept]") {
  Server server;
  const std::string method = server.ask(request({.line = "POST / HTTP/1.1"}));
  CHECK(status_of(method) == "405");
  CHECK(method.find("\r\nAllow: GET\r\n") != method.npos);
  const std::string version = server.ask(request({.version = "6"}));
  CHECK(version.find("\r\nSec-WebSocket-Version: 7, 8, 13\r\n") != version.npos);
  CHECK(version.find("\r\nUpgrade: websocket\r\n") != version.npos);
  CHECK(version.find("\r\nConnection: Upgrade\r\n") != version.npos);

  RawPeer peer = server.connect();
  peer.send(request({.version = "6"}) + request({.key = "x"}) + request({}));
  std::string got;
  server.loop.run_until([&] {
    peer.drain(got);
    return got.find("101 Switching") != got.npos;
  });
  CHECK(got.find(" 426 ") < got.find(" 400 "));
  peer.close();
  server.loop.run_until([] { return Live::count == 0; });
}

TEST_CASE("pages of the same host, of allowed origins, or of any origin may connect (WSK-03, WSK-10)",
          "[accept]") {
  Server same;
  CHECK(status_of(same.ask(request({.more = "Origin: HTTP://H.EXAMPLE:80\r\n"}))) == "101");
  CHECK(status_of(same.ask(request({.more = "Origin: http://h.example\r\n"}))) == "403");
  CHECK(status_of(same.ask(request({.more = "Origin: null\r\n"}))) == "403");
  AcceptOptions options;
  options.allowed_origins = {"https://other.example"};
  Server allowing(options);
  CHECK(status_of(allowing.ask(request({.more = "Origin: https://Other.example\r\n"}))) == "101");
  CHECK(status_of(allowing.ask(request({.more = "Origin: https://other.example:81\r\n"}))) == "403");
  options.origins = AcceptOptions::Origins::any;
  Server open(options);
  CHECK(status_of(open.ask(request({.more = "Origin: http://evil.example\r\n"}))) == "101");
}

TEST_CASE("the first known subprotocol of the client is selected, and only then answered (WSK-11)",
          "[accept]") {
  AcceptOptions options;
  options.subprotocols = {"chat.v1", "chat.v2"};
  Server server(options);
  const std::string both = server.ask(
      request({.more = "Sec-WebSocket-Protocol: x, chat.v2\r\nSec-WebSocket-Protocol: chat.v1\r\n"}));
  CHECK(both.find("\r\nSec-WebSocket-Protocol: chat.v2\r\n") != both.npos);
  CHECK(server.subprotocol == "chat.v2");
  for (const char* more : {"", "Sec-WebSocket-Protocol: x\r\n", "Sec-WebSocket-Protocol: chat.v1 x\r\n"}) {
    const std::string none = server.ask(request({.more = more}));
    CHECK(status_of(none) == "101");
    CHECK(none.find("Sec-WebSocket-Protocol") == none.npos);
    CHECK(server.subprotocol.empty());
  }
}

TEST_CASE("permessage-deflate is used if both sides have it; a malformed offer is declined (WSK-06, WSK-60)",
          "[accept]") {
  AcceptOptions options;
  options.compression = DeflateOptions{};
  Server server(options);
  const std::string offer =
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10; server_max_window_bits=9\r\n";
  const std::string agreed = server.ask(request({.more = offer}));
  CHECK(agreed.find("\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10; "
                    "server_max_window_bits=9\r\n") != agreed.npos);
  for (const char* more : {"", "Sec-WebSocket-Extensions: permessage-deflate; =\r\n",
                           "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n"}) {
    const std::string declined = server.ask(request({.more = more}));
    CHECK(status_of(declined) == "101");
    CHECK(declined.find("Sec-WebSocket-Extensions") == declined.npos);
  }
  Server plain;
  CHECK(plain.ask(request({.more = offer})).find("Sec-WebSocket-Extensions") == std::string::npos);
}

TEST_CASE("messages of a connection that accept() has made are compressed", "[accept]") {
  AcceptOptions options;
  options.compression = DeflateOptions{};
  Server server(options);
  RawPeer peer = server.connect();
  peer.send(request({.more = "Sec-WebSocket-Extensions: permessage-deflate\r\n"}) +
            frame(Role::client, Opcode::text, "Hello"));
  std::string got;
  server.loop.run_until([&] {
    peer.drain(got);
    const std::size_t end = got.find("\r\n\r\n");
    return end != got.npos && got.size() >= end + 4 + 9;
  });
  CHECK(to_hex(got.substr(got.find("\r\n\r\n") + 4)) == "c107f248cdc9c90700");
  peer.close();
  server.loop.run_until([] { return Live::count == 0; });
}

TEST_CASE("fields that the handler has set are sent with the 101, but no Content-Type (WSK-13)", "[accept]") {
  HTTPFixture fixture([](http::Exchange& exchange, Task<>& pending) {
    exchange.headers().set("Content-Type", "text/html");
    exchange.headers().add("Set-Cookie", "a=b");
    static const AcceptOptions options;
    pending = echo(exchange, options);
  });
  RawPeer peer = fixture.connect();
  peer.send(request({}));
  std::string got;
  fixture.loop.run_until([&] {
    peer.drain(got);
    return got.ends_with("\r\n\r\n");
  });
  CHECK(got.find("\r\nSet-Cookie: a=b\r\n") != got.npos);
  CHECK(got.find("Content-Type") == got.npos);
  peer.close();
  fixture.loop.run_until([] { return Live::count == 0; });
}

TEST_CASE("a handshake within handle_request() throws logic_error", "[accept]") {
  HTTPFixture fixture(
      [](http::Exchange& exchange, Task<>&) { CHECK_THROWS_AS(accept(exchange), std::logic_error); });
  RawPeer peer = fixture.connect();
  peer.send(request({}));
  fixture.read_to_end(peer);
  fixture.loop.log.expect_any("not answered");
}

TEST_CASE("a handshake with a body that was not read is refused: the body would be taken for frames",
          "[accept]") {
  struct Delegate : http::ServerDelegate {
    Body head_received(http::Exchange&) override { return Body::streamed; }
    void handle_request(http::Exchange& exchange, Task<>& pending) override {
      static const AcceptOptions options;
      pending = echo(exchange, options);
    }
  } delegate;
  squall::testing::TestLoop loop;
  http::HTTPServer server(delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  RawPeer peer(server.port());
  peer.send(request({.more = "Content-Length: 5\r\n"}));
  std::string got;
  loop.run_until([&] {
    peer.drain(got);
    return got.find("A handshake has no body.") != got.npos;
  });
  CHECK(status_of(got) == "400");
  CHECK(Live::count == 0);
}

TEST_CASE("destroying the server ends the connections whose handlers still run, with 1001", "[accept]") {
  auto server = std::make_unique<Server>();
  RawPeer peer = server->connect();
  peer.send(request({}));
  std::string got;
  server->loop.run_until([&] {
    peer.drain(got);
    return got.ends_with("\r\n\r\n");
  });
  CHECK(Live::count == 1);
  server.reset();
  CHECK(Live::count == 0);
  std::string end;
  while (!peer.drain(end)) {
  }
  CHECK(to_hex(end) == "880203e9");
}

TEST_CASE("a connection may be moved out of its handler, and outlives the exchange", "[accept]") {
  std::unique_ptr<WebSocketConnection> kept;
  HTTPFixture fixture([&](http::Exchange& exchange, Task<>& pending) {
    pending = [](http::Exchange& exchange, std::unique_ptr<WebSocketConnection>& kept) -> Task<> {
      kept = accept(exchange);
      co_return;
    }(exchange, kept);
  });
  RawPeer peer = fixture.connect();
  peer.send(request({}));
  fixture.loop.run_until([&] { return kept != nullptr; });
  fixture.loop.run_turn();
  peer.send(frame(Role::client, Opcode::text, "later"));
  CHECK(fixture.loop.run(testing::read_one(*kept)) == "text:later");
  kept.reset();
}

}  // namespace
}  // namespace squall::websocket::accept_test
