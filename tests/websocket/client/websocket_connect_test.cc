// websocket_connect() with servers of Squall, and with servers that break the rules.

#include <squall/iostream.h>
#include <squall/websocket/client/websocket_connect.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_resolver.h"
#include "support/listeners.h"
#include "support/temporary_folder.h"
#include "support/tls_pair.h"
#include "websocket/client/peer.h"

namespace squall::websocket::websocket_connect_test {
namespace {

using namespace std::chrono_literals;
using http::HTTPClientError;
using http::HTTPRequest;
using squall::testing::AnswerServer;
using testing::answer_with;
using testing::answering;
using testing::frame;
using testing::SocketServer;
using testing::switching;
using testing::TestLoop;

using Socket = std::unique_ptr<WebSocketConnection>;

Task<std::string> ask(WebSocketConnection& socket, std::string text) {
  co_await socket.write_message(std::move(text));
  const std::optional<Message> answer = co_await socket.read_message();
  co_return testing::describe(answer);
}

struct Scene {
  Socket connect(HTTPRequest request, const ConnectOptions& options = {}) {
    return loop.run(websocket_connect(std::move(request), options));
  }
  Socket connect(const ConnectOptions& options = {}) { return connect(HTTPRequest(server.url()), options); }
  std::string ask(WebSocketConnection& socket, std::string text) {
    return loop.run(websocket_connect_test::ask(socket, std::move(text)));
  }
  // The kind and the text of the error.
  std::string error_of(HTTPRequest request, const ConnectOptions& options = {}) {
    try {
      connect(std::move(request), options);
    } catch (const WebSocketError& error) {
      return fmt::format("WebSocketError {}", error.what());
    } catch (const http::HTTPTimeoutError& error) {
      return fmt::format("HTTPTimeoutError {}", error.what());
    } catch (const HTTPClientError& error) {
      return fmt::format("HTTPClientError {}", error.what());
    } catch (const std::invalid_argument& error) {
      return fmt::format("invalid_argument {}", error.what());
    }
    return "none";
  }

  TestLoop loop;
  SocketServer server{loop};
};

// A server that breaks the rules.
struct HostileScene {
  std::string error(std::function<std::string(const std::string&)> bytes,
                    const ConnectOptions& options = {}) {
    server.set_script(answering(std::move(bytes)));
    return scene.error_of(HTTPRequest(testing::ws_url(server)), options);
  }

  Scene scene;
  AnswerServer server{scene.loop, [](const std::string&) { return std::string(); }};
};

// ---- What works.

TEST_CASE("a client connects to a server, and messages go both ways", "[websocket_connect]") {
  Scene scene;
  const Socket socket = scene.loop.run(websocket_connect(scene.server.url("/chat?room=1")));
  CHECK(socket->role() == Role::client);
  CHECK(scene.ask(*socket, "hello") == "text:hello");
  CHECK(scene.server.targets.at(0) == "/chat?room=1");
  const http::Headers& asked = scene.server.asked.at(0);
  CHECK(asked.get("Host") == fmt::format("127.0.0.1:{}", scene.server.server.port()));
  CHECK_FALSE(asked.contains("Origin"));
  CHECK_FALSE(asked.contains("Accept-Encoding"));
  CHECK(socket->selected_subprotocol().empty());
  CHECK_FALSE(socket->is_compressed());
}

TEST_CASE("the connection closes in order, and has the server's code", "[websocket_connect]") {
  Scene scene;
  const Socket socket = scene.connect();
  socket->close(4001, "bye");
  scene.loop.run(socket->wait_closed());
  CHECK(socket->close_code() == 4001);
  CHECK_THROWS_AS(socket->write_message("late"), WebSocketClosedError);
  scene.loop.run_until([&] { return scene.server.open == 0; });
}

TEST_CASE("headers, credentials of the URL and of the request are sent", "[websocket_connect]") {
  Scene scene;
  HTTPRequest request(fmt::format("ws://me:pw@127.0.0.1:{}/", scene.server.server.port()));
  request.headers.add("Origin", fmt::format("http://127.0.0.1:{}", scene.server.server.port()));
  request.headers.add("X-Own", "1");
  request.user_agent = "mine";
  scene.connect(request);
  CHECK(scene.server.asked.at(0).get("Authorization") == "Basic bWU6cHc=");
  CHECK(scene.server.asked.at(0).get("X-Own") == "1");
  CHECK(scene.server.asked.at(0).get("User-Agent") == "mine");
  HTTPRequest second(scene.server.url());
  second.auth_username = "me";
  second.auth_password = "pw";
  scene.connect(second);
  CHECK(scene.server.asked.at(1).get("Authorization") == "Basic bWU6cHc=");
  CHECK(second.url == scene.server.url());  // the caller's request is not altered
  CHECK(second.headers.empty());
}

TEST_CASE("a subprotocol and compression are agreed on", "[websocket_connect]") {
  Scene scene;
  scene.server.options.subprotocols = {"chat.v2"};
  ConnectOptions options;
  options.subprotocols = {"chat.v1", "chat.v2"};
  options.compression = DeflateOptions();
  options.compression->send = {10, false};
  options.compression->receive = {9, false};
  const Socket socket = scene.connect(options);
  CHECK(socket->selected_subprotocol() == "chat.v2");
  CHECK(socket->is_compressed());
  const std::string text(100'000, 'x');
  for (int i = 0; i < 3; ++i) CHECK(scene.ask(*socket, text) == "text:" + text);
}

TEST_CASE("a message above max_message_size closes the connection with 1009", "[websocket_connect]") {
  Scene scene;
  ConnectOptions options;
  options.connection.max_message_size = 1000;
  const Socket socket = scene.connect(options);
  CHECK(scene.ask(*socket, std::string(1000, 'x')).size() == 1005);
  CHECK(scene.ask(*socket, std::string(1001, 'x')) == "end");
  CHECK(socket->fault().code == 1009);
}

TEST_CASE("a client pings, and closes a connection whose server is silent", "[websocket_connect]") {
  testing::VirtualClock clock(testing::VirtualClock::Idle::wait);
  TestLoop loop(IOLoop::Options{.time_source = &clock});
  SocketServer server(loop);
  bool stops = false;
  server.serve = [&stops](WebSocketConnection& socket) -> Task<> {
    const std::optional<Message> ping = co_await socket.read_any();
    CHECK(testing::describe(ping) == "ping:");
    stops = true;
    Event never;
    co_await never.wait();
  };
  ConnectOptions options;
  options.connection.ping_interval = 10s;
  options.connection.ping_timeout = 3s;
  const Socket socket = loop.run(websocket_connect(server.url(), options));
  std::string got;
  TaskGroup group(loop);
  group.add([](WebSocketConnection& socket, std::string& got) -> Task<> {
    const std::string one = co_await testing::read_one(socket);
    got = one;
  }(*socket, got));
  loop.run_turn();
  clock.advance(10s);
  loop.run_until([&] { return stops; });
  CHECK_FALSE(socket->is_closing());
  // The pong has arrived; the next ping is not answered.
  for (int i = 0; i < 5; ++i) loop.run_turn();
  clock.advance(10s);
  for (int i = 0; i < 5; ++i) loop.run_turn();
  clock.advance(3s);
  loop.run_until([&] { return socket->is_closing(); });
  clock.advance(5s);
  loop.run_until([&] { return got == "end"; });
}

TEST_CASE("bytes that the server sends behind its answer are read as messages", "[websocket_connect]") {
  HostileScene scene;
  const std::string early = frame(Role::server, Opcode::text, "early");
  for (std::size_t cut = 0; cut <= early.size(); ++cut) {
    CAPTURE(cut);
    scene.server.set_script([&](IOStream& stream) -> Task<> {
      const std::string request = co_await squall::testing::read_request(stream);
      co_await stream.write(switching(request) + early.substr(0, cut));
      co_await moment();
      co_await stream.write(early.substr(cut));
      const std::string end = co_await stream.read_some(std::nothrow);
    });
    const Socket socket = scene.scene.connect(HTTPRequest(testing::ws_url(scene.server)));
    CHECK(scene.scene.loop.run(testing::read_one(*socket)) == "text:early");
  }
}

TEST_CASE("an answer that arrives byte by byte opens the WebSocket", "[websocket_connect]") {
  HostileScene scene;
  scene.server.set_script([&](IOStream& stream) -> Task<> {
    const std::string request = co_await squall::testing::read_request(stream);
    const std::string bytes = switching(request) + frame(Role::server, Opcode::text, "slow");
    for (const char byte : bytes) {
      co_await stream.write(std::string_view(&byte, 1));
      co_await moment();
    }
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  const Socket socket = scene.scene.connect(HTTPRequest(testing::ws_url(scene.server)));
  CHECK(scene.scene.loop.run(testing::read_one(*socket)) == "text:slow");
}

TEST_CASE("wss connects with TLS, and refuses a certificate that it does not trust", "[websocket_connect]") {
  Scene scene;
  squall::testing::TLSSides sides;
  squall::testing::TemporaryFolder folder;
  scene.server.server.use_tls(sides.server());
  HTTPRequest request(fmt::format("wss://localhost:{}/", scene.server.server.port()));
  request.allow_ipv6 = false;
  CHECK(scene.error_of(request).find("in the TLS handshake with localhost") != std::string::npos);
  request.ca_certs = folder.file("ca.pem", sides.authority.pem());
  const Socket socket = scene.connect(request);
  CHECK(scene.ask(*socket, "secret") == "text:secret");
  HTTPRequest unchecked(scene.server.url("/", "wss"));
  unchecked.validate_cert = false;
  CHECK(scene.ask(*scene.connect(unchecked), "secret") == "text:secret");
  HTTPRequest with_context = request;
  with_context.ca_certs = {};
  with_context.tls = std::make_shared<const TLSContext>(sides.client());
  CHECK(scene.ask(*scene.connect(with_context), "secret") == "text:secret");
  scene.loop.log.expect_any("TLS");
  scene.loop.log.expect_any("SSL");
}

TEST_CASE("a Unix socket is an option of the request", "[websocket_connect]") {
  Scene scene;
  squall::testing::TemporaryFolder folder;
  scene.server.server.listen_unix(folder / "socket");
  HTTPRequest request("ws://some.name/path");
  request.unix_socket = folder / "socket";
  const Socket socket = scene.connect(request);
  CHECK(scene.ask(*socket, "hello") == "text:hello");
  CHECK(scene.server.asked.at(0).get("Host") == "some.name");
}

// Relays all bytes, until one side ends.
Task<> relay(IOStream& from, IOStream& to) {
  for (;;) {
    const std::string bytes = co_await from.read_some(std::nothrow);
    if (bytes.empty()) co_return;
    co_await to.write(bytes);
  }
}
Task<> serve_tunnel(IOStream& client, std::uint16_t port, std::vector<std::string>& asked) {
  const std::string request = co_await squall::testing::read_request(client);
  asked.push_back(request.substr(0, request.find("\r\n")));
  IOStream server = co_await TCPClient().connect("127.0.0.1", port);
  co_await client.write("HTTP/1.1 200 Connected\r\n\r\n");
  TaskGroup group;
  group.add(relay(client, server));
  co_await relay(server, client);
}

TEST_CASE("a proxy is asked for a tunnel, also for ws", "[websocket_connect]") {
  HostileScene hostile;
  Scene& scene = hostile.scene;
  std::vector<std::string> asked;
  hostile.server.set_script(
      [&](IOStream& stream) { return serve_tunnel(stream, scene.server.server.port(), asked); });
  http::ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = hostile.server.port();
  HTTPRequest request("ws://target.test/");
  request.proxy = proxy;
  const Socket socket = scene.connect(request);
  CHECK(scene.ask(*socket, "hello") == "text:hello");
  CHECK(asked == std::vector<std::string>{"CONNECT target.test:80 HTTP/1.1"});
}

TEST_CASE("a resolver of the program is asked for the name", "[websocket_connect]") {
  Scene scene;
  squall::testing::FakeResolver resolver;
  resolver.answers["name.test"].addresses.push_back(
      squall::testing::address("127.0.0.1", scene.server.server.port()));
  ConnectOptions options;
  options.resolver = &resolver;
  CHECK(scene.connect(HTTPRequest("ws://name.test/"), options));
  CHECK(resolver.asked.size() == 1);
  CHECK(scene.error_of(HTTPRequest("ws://other.test/"), options).find("resolving other.test") !=
        std::string::npos);
}

TEST_CASE("cookies are kept in the jar and sent, also those of a failed handshake", "[websocket_connect]") {
  Scene scene;
  ConnectOptions options;
  options.cookie_jar = std::make_shared<http::CookieJar>();
  scene.server.refuse = [](http::Exchange& exchange) {
    return answer_with(exchange, 401, "Set-Cookie", "a=1");
  };
  scene.error_of(HTTPRequest(scene.server.url()), options);
  scene.server.refuse = [](http::Exchange& exchange) {
    exchange.headers().add("Set-Cookie", "b=2");
    return false;
  };
  HTTPRequest request(scene.server.url());
  request.headers.add("Cookie", "own=0");
  scene.connect(request, options);
  scene.connect(request, options);
  CHECK(scene.server.asked.at(1).get("Cookie") == "own=0; a=1");
  CHECK(scene.server.asked.at(2).get("Cookie") == "own=0; a=1; b=2");
}

TEST_CASE("a client of the program makes the connection, and may end before it", "[websocket_connect]") {
  Scene scene;
  Socket socket;
  {
    http::AsyncHTTPClient::Options client_options;
    client_options.hostname_mapping["mapped.test"] = "127.0.0.1";
    http::SimpleAsyncHTTPClient client(client_options, scene.loop);
    ConnectOptions options;
    options.client = &client;
    socket =
        scene.connect(HTTPRequest(fmt::format("ws://mapped.test:{}/", scene.server.server.port())), options);
    CHECK(client.active() == 0);
    options.cookie_jar = std::make_shared<http::CookieJar>();
    CHECK(scene.error_of(HTTPRequest(scene.server.url()), options) ==
          "invalid_argument cookie_jar and resolver are options of the client that was given");
  }
  CHECK(scene.ask(*socket, "hello") == "text:hello");
}

// ---- Redirects.

TEST_CASE("a redirect is an error with its status unless it is asked for (WSK-82)", "[websocket_connect]") {
  Scene scene;
  scene.server.refuse = [&](http::Exchange& exchange) {
    return exchange.request().target() == "/from" && answer_with(exchange, 302, "Location", "/to");
  };
  HTTPRequest request(scene.server.url("/from"));
  CHECK(scene.error_of(request) == "HTTPClientError HTTP 302: Found");
  request.follow_redirects = true;
  CHECK(scene.ask(*scene.connect(request), "hello") == "text:hello");
  CHECK(scene.server.targets.back() == "/to");
}

TEST_CASE("a Location may have the scheme ws", "[websocket_connect]") {
  Scene scene;
  scene.server.refuse = [&](http::Exchange& exchange) {
    return exchange.request().target() == "/from" &&
           answer_with(exchange, 307, "Location", scene.server.url("/to", "WS"));
  };
  HTTPRequest request(scene.server.url("/from"));
  request.follow_redirects = true;
  CHECK(scene.ask(*scene.connect(request), "hello") == "text:hello");
}

TEST_CASE("a loop of redirects ends with the status", "[websocket_connect]") {
  Scene scene;
  scene.server.refuse = [](http::Exchange& exchange) {
    return answer_with(exchange, 302, "Location", "/again");
  };
  HTTPRequest request(scene.server.url());
  request.follow_redirects = true;
  request.max_redirects = 3;
  CHECK(scene.error_of(request) == "HTTPClientError HTTP 302: Found");
  CHECK(scene.server.targets.size() == 4);
}

TEST_CASE("no credentials follow a redirect to another origin", "[websocket_connect]") {
  Scene scene;
  SocketServer other(scene.loop);
  scene.server.refuse = [&](http::Exchange& exchange) {
    return answer_with(exchange, 302, "Location", other.url("/to", "http"));
  };
  HTTPRequest request(scene.server.url());
  request.follow_redirects = true;
  request.auth_username = "me";
  request.auth_password = "pw";
  request.headers.add("Cookie", "secret=1");
  CHECK(scene.ask(*scene.connect(request), "hello") == "text:hello");
  CHECK(scene.server.asked.at(0).contains("Authorization"));
  CHECK(scene.server.asked.at(0).contains("Cookie"));
  CHECK_FALSE(other.asked.at(0).contains("Authorization"));
  CHECK_FALSE(other.asked.at(0).contains("Cookie"));
}

TEST_CASE("no redirect leads from wss to ws", "[websocket_connect]") {
  Scene scene;
  SocketServer plain(scene.loop);
  squall::testing::TLSSides sides;
  scene.server.server.use_tls(sides.server());
  for (const char* scheme : {"http", "ws"}) {
    scene.server.refuse = [&](http::Exchange& exchange) {
      return answer_with(exchange, 302, "Location", plain.url("/to", scheme));
    };
    HTTPRequest request(scene.server.url("/", "wss"));
    request.validate_cert = false;
    request.follow_redirects = true;
    CHECK(scene.error_of(request).find("the connection would not be encrypted") != std::string::npos);
  }
  CHECK(plain.asked.empty());
}

// ---- What fails.

TEST_CASE("an answer other than 101 is an error with its code and its body (WSK-83)", "[websocket_connect]") {
  Scene scene;
  int status = 0;
  scene.server.refuse = [&status](http::Exchange& exchange) { return answer_with(exchange, status); };
  for (const auto& [code, text] :
       std::vector<std::pair<int, std::string>>{{403, "HTTPClientError HTTP 403: Forbidden"},
                                                {503, "HTTPClientError HTTP 503: Service Unavailable"},
                                                {200, "WebSocketError HTTP 200: Non-websocket response"}}) {
    status = code;
    CHECK(scene.error_of(HTTPRequest(scene.server.url())) == text);
    bool thrown = false;
    try {
      scene.connect();
    } catch (const HTTPClientError& error) {
      thrown = true;
      CHECK(error.status() == code);
      REQUIRE(error.response());
      CHECK(error.response()->body() == "refused");
    }
    CHECK(thrown);
  }
}

TEST_CASE("a wrong Accept, a missing Upgrade or Connection is an error (WSK-84)", "[websocket_connect]") {
  HostileScene scene;
  const auto without = [](std::string text, std::string_view line) {
    return text.erase(text.find(line), line.size());
  };
  CHECK(scene.error([&](const std::string& request) {
    std::string text = switching(request);
    text[text.find("Accept: ") + 8] ^= 1;
    return text;
  }) == "WebSocketError HTTP 101: The Sec-WebSocket-Accept of the answer is wrong or missing");
  CHECK(scene.error([&](const std::string& request) {
    return without(switching(request), "Connection: Upgrade\r\n");
  }) == "WebSocketError HTTP 101: The Connection of the answer has no Upgrade");
  CHECK(scene
            .error([&](const std::string& request) {
              return without(switching(request), "Upgrade: websocket\r\n");
            })
            .find("The server switched protocols without an Upgrade header") != std::string::npos);
  CHECK(scene
            .error([&](const std::string& request) {
              return switching(request, "Sec-WebSocket-Extensions: x-unknown\r\n");
            })
            .find("extensions that were not offered") != std::string::npos);
  CHECK(scene.error([&](const std::string& request) {
    return switching(request, "Sec-WebSocket-Protocol: x\r\n");
  }) == "WebSocketError HTTP 101: The server selected the subprotocol 'x', which was not offered");
  scene.scene.loop.run_until([&] { return scene.server.connections() == 0; });
}

TEST_CASE("a server that closes, sends no HTTP or an endless head is an error", "[websocket_connect]") {
  HostileScene scene;
  CHECK(scene.error([](const std::string&) { return std::string("SSH-2.0-OpenSSH\r\n\r\n"); })
            .starts_with("HTTPClientError HTTP 599: "));
  CHECK(scene
            .error([](const std::string&) {
              return "HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(200'000, 'x');
            })
            .starts_with("HTTPClientError HTTP 599: "));
  CHECK(scene
            .error([](const std::string&) {
              return "HTTP/1.1 404 Not Found\r\nContent-Length: 999999999\r\n\r\n";
            })
            .find("larger than 1048576 bytes") != std::string::npos);
  for (const std::size_t size : {std::size_t(0), std::size_t(10), std::size_t(100)}) {
    CAPTURE(size);
    scene.server.set_script([size](IOStream& stream) -> Task<> {
      const std::string request = co_await squall::testing::read_request(stream);
      co_await stream.write(switching(request).substr(0, size));
    });
    CHECK(scene.scene.error_of(HTTPRequest(testing::ws_url(scene.server)))
              .starts_with("HTTPClientError HTTP 599: "));
  }
}

TEST_CASE("a connection that is refused is an error with its phase and its peer", "[websocket_connect]") {
  Scene scene;
  squall::testing::DeadEnd nobody;
  CHECK(scene.error_of(HTTPRequest(fmt::format("ws://127.0.0.1:{}/", nobody.port()))) ==
        fmt::format("HTTPClientError HTTP 599: Connection refused (connecting to 127.0.0.1:{})",
                    nobody.port()));
}

TEST_CASE("connect_timeout covers the handshake, and only the handshake", "[websocket_connect]") {
  testing::VirtualClock clock(testing::VirtualClock::Idle::wait);
  TestLoop loop(IOLoop::Options{.time_source = &clock});
  SocketServer server(loop);
  ConnectOptions options;
  options.connect_timeout = 3s;
  const Socket socket = loop.run(websocket_connect(server.url(), options));
  clock.advance(1h);
  CHECK(loop.run(ask(*socket, "later")) == "text:later");

  bool asked = false;
  AnswerServer silent(loop, [](const std::string&) { return std::string(); });
  silent.set_script([&asked](IOStream& stream) -> Task<> {
    const std::string request = co_await squall::testing::read_request(stream);
    asked = true;
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  std::string error;
  const auto run = [](std::string url, ConnectOptions options, std::string& error) -> Task<> {
    try {
      const Socket socket = co_await websocket_connect(std::move(url), std::move(options));
    } catch (const http::HTTPTimeoutError& timeout) {
      error = timeout.what();
    }
  };
  TaskGroup group(loop);
  group.add(run(testing::ws_url(silent), options, error));
  loop.run_until([&] { return asked; });
  clock.advance(2999ms);
  loop.run_turn();
  CHECK(error.empty());
  clock.advance(100ms);
  loop.run_until([&] { return !error.empty(); });
  CHECK(error.starts_with("HTTP 599: Timeout during request"));

  // Without an option the handshake may take 20 s.
  error.clear();
  asked = false;
  group.add(run(testing::ws_url(silent), ConnectOptions(), error));
  loop.run_until([&] { return asked; });
  clock.advance(19900ms);
  loop.run_turn();
  CHECK(error.empty());
  clock.advance(200ms);
  loop.run_until([&] { return !error.empty(); });
}

TEST_CASE("connect_timeout and the timeouts of the request exclude each other (WSK-80)",
          "[websocket_connect]") {
  Scene scene;
  ConnectOptions options;
  options.connect_timeout = 3s;
  HTTPRequest request(scene.server.url());
  request.request_timeout = 5s;
  CHECK(scene.error_of(request, options) ==
        "invalid_argument The timeouts of the request are set, so connect_timeout must not be");
  CHECK(scene.connect(request));
}

TEST_CASE("URLs and requests that open no WebSocket are refused before anything is sent",
          "[websocket_connect]") {
  Scene scene;
  CHECK(scene.error_of(HTTPRequest(scene.server.url("/", "http")))
            .starts_with("invalid_argument The URL of a WebSocket begins with ws://"));
  CHECK(scene.error_of(HTTPRequest("ws://")).starts_with("invalid_argument "));
  CHECK(scene.error_of(HTTPRequest("ws://h:99999/")).starts_with("invalid_argument "));
  HTTPRequest streamed(scene.server.url());
  streamed.streaming_callback = [](std::string_view) {};
  CHECK(scene.error_of(streamed) == "invalid_argument An upgrade has no streaming_callback");
  CHECK(scene.server.asked.empty());
  CHECK_THROWS_AS(check_connect(HTTPRequest("ws://h:99999/"), ConnectOptions()), std::invalid_argument);
  CHECK_NOTHROW(check_connect(HTTPRequest("ws://h:9/"), ConnectOptions()));
}

TEST_CASE("dropping an open client sends 1001 and logs nothing (WSK-88)", "[websocket_connect]") {
  Scene scene;
  std::optional<std::uint16_t> code;
  scene.server.serve = [&code](WebSocketConnection& socket) -> Task<> {
    co_await socket.wait_closed();
    code = socket.close_code();
  };
  scene.connect();
  scene.loop.run_until([&] { return code.has_value(); });
  CHECK(code == 1001);
  CHECK(scene.loop.log.empty());
}

}  // namespace
}  // namespace squall::websocket::websocket_connect_test
