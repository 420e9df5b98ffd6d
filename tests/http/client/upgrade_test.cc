// Upgrades on the client: a 101 response hands over the stream, and the bytes behind the head.

#include <squall/http.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"
#include "support/listeners.h"
#include "support/test_loop.h"

namespace squall::http::upgrade_test {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::ok;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;

constexpr const char* kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

// Sends a 101 response and `behind`, and then echoes one line.
Task<> echo(IOStream& stream, std::string behind, std::vector<std::string>& requests) {
  const std::string request = co_await testing::read_request(stream);
  if (request.empty()) co_return;
  requests.push_back(request);
  co_await stream.write(kSwitch + behind);
  const std::string line = co_await stream.read_until("\n");
  co_await stream.write(line);
  const std::string end = co_await stream.read_some(std::nothrow);
}

struct Scene : Fixture {
  Scene() : Fixture([](const std::string&) { return ok("x"); }) {}
  void server_echoes(std::string behind = std::string()) {
    server.set_script(
        [this, behind](IOStream& stream) -> Task<> { co_await echo(stream, behind, server.requests); });
  }
  HTTPRequest request(std::string_view path = "/") const {
    HTTPRequest request(server.url(path));
    request.headers.add("Upgrade", "other/1, Echo");
    return request;
  }
  // The status of an upgrade's error; what() of an error without a response.
  std::string error(HTTPRequest request) {
    try {
      loop.run(client.upgrade(std::move(request)));
    } catch (const HTTPProtocolError& error) {
      return error.message();
    } catch (const HTTPClientError& error) {
      return std::to_string(error.status());
    }
    return "none";
  }
};

Task<std::string> read_and_echo(UpgradedConnection connection, std::size_t behind) {
  std::string first;
  if (behind > 0) {
    const std::string bytes = co_await connection.stream.read_bytes(behind);
    first = bytes;
  }
  co_await connection.stream.write("line\n");
  const std::string line = co_await connection.stream.read_until("\n");
  co_return first + "|" + line;
}

TEST_CASE("an upgrade hands over the stream, and the bytes behind the head", "[upgrade]") {
  for (const std::string& behind :
       {std::string(), std::string("x"), std::string("the first frame of the server")}) {
    CAPTURE(behind);
    Scene scene;
    scene.server_echoes(behind);
    UpgradedConnection connection = scene.loop.run(scene.client.upgrade(scene.request()));
    CHECK(connection.response.status() == 101);
    CHECK(connection.response.headers().find("Upgrade") == "echo");
    CHECK(scene.client.active() == 0);
    CHECK(scene.client.idle_connections() == 0);
    CHECK(scene.loop.run(read_and_echo(std::move(connection), behind.size())) == behind + "|line\n");
    const std::string& sent = scene.server.requests.at(0);
    CHECK(sent.find("\r\nConnection: Upgrade\r\n") != sent.npos);
    CHECK(sent.find("\r\nUpgrade: other/1, Echo\r\n") != sent.npos);
  }
}

TEST_CASE("the stream of an upgrade outlives the client", "[upgrade]") {
  Scene scene;
  scene.server_echoes();
  std::optional<UpgradedConnection> connection;
  {
    SimpleAsyncHTTPClient client(AsyncHTTPClient::Options(), scene.loop);
    connection.emplace(scene.loop.run(client.upgrade(scene.request())));
  }
  CHECK(scene.loop.run(read_and_echo(*std::move(connection), 0)) == "|line\n");
}

TEST_CASE("an upgrade follows redirects, and uses a new connection", "[upgrade]") {
  Scene scene;
  scene.fetch(scene.server.url());
  CHECK(scene.client.idle_connections() == 1);
  scene.server.set_script([&scene](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    scene.server.requests.push_back(request);
    if (request.starts_with("GET /from ")) {
      co_await stream.write(answer("302 Found", "", "Location: /to\r\n"));
    } else {
      co_await stream.write(kSwitch);
      const std::string end = co_await stream.read_some(std::nothrow);
    }
  });
  const UpgradedConnection connection = scene.loop.run(scene.client.upgrade(scene.request("/from")));
  CHECK(connection.response.redirects() == 1);
  CHECK(connection.response.effective_url() == scene.server.url("/to"));
  CHECK(scene.server.accepted_connections == 3);
}

TEST_CASE("a redirect of an upgrade may name the schemes of WebSocket", "[upgrade]") {
  Scene scene;
  std::string location = "WS" + scene.server.url("/to").substr(4);
  scene.server.set_script([&](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    if (request.starts_with("GET /from ")) {
      co_await stream.write(answer("302 Found", "", "Location: " + location + "\r\n"));
    } else {
      co_await stream.write(kSwitch);
    }
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  const UpgradedConnection connection = scene.loop.run(scene.client.upgrade(scene.request("/from")));
  CHECK(connection.response.effective_url() == scene.server.url("/to"));
  const testing::DeadEnd nobody;
  location = fmt::format("wss://127.0.0.1:{}/", nobody.port());
  CHECK(scene.error(scene.request("/from")) == "599");  // the connection is refused
  location = "wsx:" + scene.server.url("/to").substr(5);
  CHECK(scene.error(scene.request("/from")) == "599");
  location = "ws:" + scene.server.url("/to").substr(5);
  CHECK_THROWS_AS(scene.fetch(scene.server.url("/from")), HTTPClientError);
}

TEST_CASE("an upgrade through a proxy asks for a tunnel", "[upgrade]") {
  Scene scene;
  scene.server.set_script([&scene](IOStream& stream) -> Task<> {
    const std::string connect = co_await testing::read_request(stream);
    scene.server.requests.push_back(connect);
    co_await stream.write("HTTP/1.1 200 Connected\r\n\r\n");
    co_await echo(stream, "", scene.server.requests);
  });
  HTTPRequest request("http://target.test/");
  request.headers.add("Upgrade", "echo");
  ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = scene.server.port();
  request.proxy = proxy;
  UpgradedConnection connection = scene.loop.run(scene.client.upgrade(std::move(request)));
  CHECK(scene.loop.run(read_and_echo(std::move(connection), 0)) == "|line\n");
  CHECK(scene.server.requests.at(0).starts_with("CONNECT target.test:80 HTTP/1.1\r\n"));
  CHECK(scene.server.requests.at(1).starts_with("GET / HTTP/1.1\r\n"));
}

TEST_CASE("an upgrade that the server does not make is an error with its response", "[upgrade]") {
  Scene scene;
  CHECK(scene.error(scene.request()) == "200");
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    co_await stream.write(answer("426 Upgrade Required", "why"));
  });
  bool thrown = false;
  try {
    scene.loop.run(scene.client.upgrade(scene.request()));
  } catch (const HTTPClientError& error) {
    thrown = true;
    REQUIRE(error.response());
    CHECK(error.response()->body() == "why");
  }
  CHECK(thrown);
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 101 Switching\r\nUpgrade: third\r\n\r\n");
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  CHECK(scene.error(scene.request()) == "The server switched to a protocol that the request did not name");
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 101 Switching\r\n\r\n");
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  CHECK(scene.error(scene.request()) ==
        "The server switched protocols without an Upgrade header that names the protocol");
  CHECK(scene.client.active() == 0);
}

TEST_CASE("for fetch() a 101 response is an error, even if the headers ask for an upgrade", "[upgrade]") {
  Scene scene;
  scene.server_echoes();
  HTTPRequest request = scene.request();
  request.headers.add("Connection", "Upgrade");
  CHECK_THROWS_AS(scene.fetch(request), HTTPProtocolError);
  CHECK_THROWS_AS(scene.fetch(scene.server.url()), HTTPProtocolError);
}

TEST_CASE("an upgrade needs an Upgrade header, and takes no streaming_callback", "[upgrade]") {
  Scene scene;
  CHECK_THROWS_AS(scene.loop.run(scene.client.upgrade(HTTPRequest(scene.server.url()))),
                  std::invalid_argument);
  HTTPRequest streamed = scene.request();
  streamed.streaming_callback = [](std::string_view) {};
  CHECK_THROWS_AS(scene.loop.run(scene.client.upgrade(streamed)), std::invalid_argument);
  HTTPRequest closing = scene.request();
  closing.headers.add("Connection", "close");
  CHECK_THROWS_AS(scene.loop.run(scene.client.upgrade(closing)), std::invalid_argument);
}

TEST_CASE("a server may not switch before it has the whole request", "[upgrade]") {
  Scene scene;
  scene.server_echoes();
  HTTPRequest request = scene.request();
  request.method = "PUT";
  request.body_producer = [](BodyWriter&) -> Task<> {
    Event never;
    co_await never.wait();
  };
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    co_await stream.write(kSwitch);
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  CHECK(scene.error(std::move(request)) == "The server switched protocols before the request was sent");
}

// ---- The end.

Task<> upgrade_and_drop(SimpleAsyncHTTPClient& client, HTTPRequest request) {
  const UpgradedConnection connection = co_await client.upgrade(std::move(request));
}

TEST_CASE("an upgrade may be destroyed while it waits for the head, or in the middle of it", "[upgrade]") {
  for (const std::string& sent : {std::string(), std::string("HTTP/1.1 101 Switch")}) {
    CAPTURE(sent);
    Scene scene;
    bool asked = false;
    scene.server.set_script([&asked, sent](IOStream& stream) -> Task<> {
      const std::string head = co_await stream.read_until("\r\n\r\n");
      co_await stream.write(sent);
      asked = true;
      const std::string end = co_await stream.read_some(std::nothrow);
    });
    TaskGroup group(scene.loop);
    group.add(upgrade_and_drop(scene.client, scene.request()));
    scene.loop.run_until([&] { return asked; });
    group.destroy();
    CHECK(scene.client.active() == 0);
    scene.loop.run_until([&] { return scene.server.connections() == 0; });
  }
}

TEST_CASE("timeouts and close() end an upgrade as they end a fetch", "[upgrade]") {
  Scene scene;
  bool asked = false;
  scene.server.set_script([&asked](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    asked = true;
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  HTTPRequest request = scene.request();
  request.request_timeout = 20ms;
  CHECK_THROWS_AS(scene.loop.run(scene.client.upgrade(request)), HTTPTimeoutError);
  asked = false;
  std::string message;
  const auto run = [](SimpleAsyncHTTPClient& client, HTTPRequest request, std::string& message) -> Task<> {
    try {
      const UpgradedConnection connection = co_await client.upgrade(std::move(request));
    } catch (const HTTPClientClosedError& error) {
      message = error.message();
    }
  };
  TaskGroup group(scene.loop);
  group.add(run(scene.client, scene.request(), message));
  scene.loop.run_until([&] { return asked; });
  scene.client.close();
  scene.loop.run_until([&] { return !message.empty(); });
  CHECK(message == "The client was closed");
}

}  // namespace
}  // namespace squall::http::upgrade_test
