// A fetch may be destroyed in any wait: its connection is closed, and the client can be used further.

#include <squall/http.h>

#include <sys/socket.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/death.h"
#include "support/fake_resolver.h"
#include "support/http_clients.h"

namespace squall::http::client_cancel_test {
namespace {

using testing::AnswerServer;
using testing::Live;
using testing::ok;
using Options = AsyncHTTPClient::Options;

Task<> wait_for_ever() {
  Event never;
  co_await never.wait();
}
Task<> a_moment() { co_await moment(); }
Task<> fetch_and_drop(AsyncHTTPClient& client, HTTPRequest request) {
  const HTTPResponse response = co_await client.fetch(std::move(request));
}

// A client for one request at a time, and a server that stops responding at the point that the test needs.
struct Scene {
  Scene() : server(loop, [](const std::string&) { return ok("x"); }), client(options(), loop), group(loop) {}
  Options options() {
    Options options;
    options.max_clients = 1;
    options.resolver = &resolver;
    resolver.answers["server.test"].addresses.push_back(testing::address("127.0.0.1", server.port()));
    resolver.answers["localhost"] = resolver.answers["server.test"];
    return options;
  }
  HTTPRequest request() const { return HTTPRequest(fmt::format("http://server.test:{}/", server.port())); }

  // Receives a request, and does not answer.
  void server_is_silent(bool& asked) {
    server.set_script([&asked](IOStream& stream) -> Task<> {
      const std::string head = co_await stream.read_until("\r\n\r\n");
      asked = true;
      const std::string end = co_await stream.read_some(std::nothrow);
    });
  }
  void begin(HTTPRequest request) { group.add(fetch_and_drop(client, std::move(request))); }
  template <class Condition>
  void run_until(Condition&& condition) {
    loop.run_until(std::forward<Condition>(condition));
    CHECK(client.active() == 1);
  }
  // Destroys the fetch. Then the server has no connection from it, and its slot is free.
  void destroy() {
    group.destroy();
    CHECK(client.active() == 0);
    CHECK(client.waiting() == 0);
    CHECK(client.idle_connections() == 0);
    loop.run_until([this] { return server.connections() == 0; });
    server.set_script({});
    resolver.open.set();
    CHECK(loop.run(client.fetch(request())).body() == "x");
  }

  testing::TestLoop loop;
  testing::FakeResolver resolver;
  AnswerServer server;
  SimpleAsyncHTTPClient client;
  TaskGroup group;
};

TEST_CASE("a fetch may be destroyed while its host is looked up", "[client_cancel]") {
  Scene scene;
  scene.resolver.open.clear();
  const int before = Live::count;
  scene.begin(scene.request());
  scene.run_until([&] { return !scene.resolver.asked.empty(); });
  CHECK(Live::count == before + 1);
  scene.group.destroy();
  CHECK(Live::count == before);
  scene.destroy();
}

TEST_CASE("a fetch may be destroyed while it connects", "[client_cancel]") {
  Scene scene;
  // A listener whose queue is full takes no connection.
  ListenOptions listen;
  listen.address = "127.0.0.1";
  listen.backlog = 1;
  const std::vector<OwnedFd> listening = bind_sockets(0, listen);
  const Address address = Address::local_of(listening[0].get());
  std::vector<OwnedFd> filling;
  for (int i = 0; i < 8; ++i) {
    filling.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(filling.back().get(), address.data(), address.size());
  }
  scene.resolver.answers["full.test"].addresses.push_back(address);
  scene.begin(HTTPRequest(fmt::format("http://full.test:{}/", address.port())));
  scene.run_until([&] { return !scene.resolver.asked.empty(); });
  for (int i = 0; i < 5; ++i) scene.loop.run(a_moment());
  scene.destroy();
}

TEST_CASE("a fetch may be destroyed while it waits for a proxy's tunnel", "[client_cancel]") {
  Scene scene;
  bool asked = false;
  scene.server.set_script([&asked](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    asked = head.starts_with("CONNECT ");
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  HTTPRequest request("https://example.test/");
  ProxyOptions proxy;
  proxy.host = "server.test";
  proxy.port = scene.server.port();
  request.proxy = proxy;
  scene.begin(std::move(request));
  scene.run_until([&] { return asked; });
  scene.destroy();
}

TEST_CASE("a fetch may be destroyed in the middle of its TLS handshake", "[client_cancel]") {
  Scene scene;
  bool greeted = false;
  scene.server.set_script([&greeted](IOStream& stream) -> Task<> {
    const std::string hello = co_await stream.read_some();
    greeted = !hello.empty();
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  scene.begin(HTTPRequest(fmt::format("https://server.test:{}/", scene.server.port())));
  scene.run_until([&] { return greeted; });
  scene.destroy();
}

TEST_CASE("a fetch may be destroyed while it sends a body, its own or a producer's", "[client_cancel]") {
  for (const bool is_produced : {false, true}) {
    CAPTURE(is_produced);
    Scene scene;
    bool begun = false;
    Event go;
    scene.server.set_script([&begun, &go](IOStream& stream) -> Task<> {
      const std::string head = co_await stream.read_until("\r\n\r\n");
      begun = true;
      co_await go.wait();
    });
    HTTPRequest request = scene.request();
    request.method = "PUT";
    const int before = Live::count;
    if (is_produced) {
      request.body_producer = [](BodyWriter& body) -> Task<> {
        const Live live;
        const std::string piece(100'000, 'x');
        for (;;) co_await body.write(piece);
      };
    } else {
      request.body = std::string(20'000'000, 'x');
    }
    scene.begin(std::move(request));
    scene.run_until([&] { return begun; });
    CHECK(Live::count == before + (is_produced ? 1 : 0));
    go.set();
    scene.destroy();
    CHECK(Live::count == before);
  }
}

TEST_CASE("a fetch may be destroyed while it waits for 100 Continue", "[client_cancel]") {
  Scene scene;
  bool asked = false;
  scene.server_is_silent(asked);
  HTTPRequest request = scene.request();
  request.method = "PUT";
  request.body = "body";
  request.expect_100_continue = true;
  scene.begin(std::move(request));
  scene.run_until([&] { return asked; });
  scene.destroy();
}

TEST_CASE("a fetch may be destroyed while it waits for the response, and in the middle of it",
          "[client_cancel]") {
  for (const char* sent :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"}) {
    CAPTURE(sent);
    Scene scene;
    bool asked = false;
    scene.server.set_script([&asked, sent](IOStream& stream) -> Task<> {
      const std::string head = co_await stream.read_until("\r\n\r\n");
      co_await stream.write(sent);
      asked = true;
      const std::string end = co_await stream.read_some(std::nothrow);
    });
    scene.begin(scene.request());
    scene.run_until([&] { return asked; });
    scene.destroy();
  }
}

TEST_CASE("a fetch may be destroyed while its streaming_callback waits", "[client_cancel]") {
  Scene scene;
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  bool called = false;
  const int before = Live::count;
  HTTPRequest request = scene.request();
  request.streaming_callback = [&called](std::string_view) -> Task<> {
    const Live live;
    called = true;
    co_await wait_for_ever();
  };
  scene.begin(std::move(request));
  scene.run_until([&] { return called; });
  CHECK(Live::count == before + 1);
  scene.destroy();
  CHECK(Live::count == before);
}

TEST_CASE("a fetch may be destroyed in the queue, and when it has just got its slot", "[client_cancel]") {
  Scene scene;
  bool asked = false;
  scene.server_is_silent(asked);
  scene.begin(scene.request());
  TaskGroup waiting(scene.loop);
  waiting.add(fetch_and_drop(scene.client, scene.request()));
  scene.run_until([&] { return asked; });
  CHECK(scene.client.waiting() == 1);
  waiting.destroy();
  CHECK(scene.client.waiting() == 0);
  waiting.add(fetch_and_drop(scene.client, scene.request()));
  scene.group.destroy();  // the other fetch has the slot now, and has not resumed
  CHECK(scene.client.active() == 1);
  waiting.destroy();
  scene.destroy();
}

TEMPLATE_TEST_CASE("a client that a callback of its own request destroys ends the program with a message",
                   "[client_cancel]", HTTP_CLIENTS) {
  for (const bool in_head : {false, true}) {
    CAPTURE(in_head);
    const std::string said = testing::last_words_of([&] {
      testing::TestLoop loop;
      AnswerServer server(loop, [](const std::string&) { return ok("x"); });
      auto client = std::make_unique<TestType>(Options(), loop);
      HTTPRequest request(fmt::format("http://127.0.0.1:{}/", server.port()));
      if (in_head) {
        request.header_callback = [&](std::string_view) { client.reset(); };
      } else {
        request.streaming_callback = [&](std::string_view) { client.reset(); };
      }
      loop.run(fetch_and_drop(*client, std::move(request)));
    });
    CHECK(said ==
          "squall: a callback of a request destroys the HTTP client that calls it: close() the client "
          "instead\n");
  }
}

}  // namespace
}  // namespace squall::http::client_cancel_test
