#include <squall/testing/streamed_response.h>

#include <squall/http/server/function_delegate.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/sync/event.h>
#include <squall/testing/in_process_http_client.h>

#include <string>

#include "support/environment_variable.h"
#include "support/test_loop.h"

namespace squall::streamed_response_test {
namespace {

using namespace std::chrono_literals;
using http::FunctionDelegate;
using http::HTTPRequest;
using testing::EnvironmentVariable;
using testing::InProcessHTTPClient;
using testing::Live;
using testing::StreamedResponse;
using testing::TestLoop;

// A server of one handler, and a client of it.
struct Scene {
  template <class Function>
  explicit Scene(Function function) : delegate(std::move(function)) {}
  StreamedResponse ask(std::string url = "http://h/events") {
    return StreamedResponse(client, HTTPRequest(std::move(url)));
  }

  TestLoop loop;
  FunctionDelegate delegate;
  InProcessHTTPClient client{delegate};
};

// The second event waits for the test.
struct Events {
  Task<> send(http::Exchange& exchange) {
    const Live live;
    exchange.headers().set("Content-Type", "text/event-stream");
    exchange.write("data: 1\n\nda");
    co_await go_on.wait();
    exchange.write("ta: 2\n\nrest");
    exchange.finish();
  }
  Event go_on;
};

TEST_CASE("a test reads a response while its handler waits", "[streamed_response]") {
  Events events;
  Scene scene([&](http::Exchange& exchange) { return events.send(exchange); });
  StreamedResponse response = scene.ask();
  CHECK(response.status() == 200);
  CHECK(response.headers().get("Content-Type") == "text/event-stream");
  CHECK(response.read_until("\n\n") == "data: 1\n\n");
  CHECK(response.read() == "da");
  events.go_on.set();
  CHECK(response.read_until("\n\n") == "ta: 2\n\n");
  CHECK(response.read_until("\n\n") == "rest");
  CHECK(response.read_until("\n\n").empty());
  CHECK(response.read().empty());
}

TEST_CASE("read_until finds a delimiter that arrives in two pieces", "[streamed_response]") {
  Event go_on;
  struct Halves {
    static Task<> send(http::Exchange& exchange, Event& go_on) {
      exchange.write("a\r");
      co_await go_on.wait();
      exchange.finish("\nb");
    }
  };
  Scene scene([&](http::Exchange& exchange) { return Halves::send(exchange, go_on); });
  StreamedResponse response = scene.ask();
  response.headers();
  scene.loop.run_turn();
  go_on.set();
  CHECK(response.read_until("\r\n") == "a\r\n");
  CHECK(response.read_to_end() == "b");
}

TEST_CASE("close() is a client that goes away: its handler is cancelled", "[streamed_response]") {
  Events events;
  Scene scene([&](http::Exchange& exchange) { return events.send(exchange); });
  {
    StreamedResponse response = scene.ask();
    CHECK(response.read_until("\n\n") == "data: 1\n\n");
    CHECK(Live::count == 1);
    response.close();
    scene.loop.run_until([] { return Live::count == 0; });
  }
  scene.loop.log.expect("499 GET /events");
}

TEST_CASE("a wait for a silent handler is a TimeoutError that names the request", "[streamed_response]") {
  Events events;
  Scene scene([&](http::Exchange& exchange) { return events.send(exchange); });
  StreamedResponse response = scene.ask();
  CHECK(response.read() == "data: 1\n\nda");
  const EnvironmentVariable variable("ASYNC_TEST_TIMEOUT", "0.02");
  CHECK_THROWS_WITH(response.read(), "GET http://h/events timed out after 0.02 seconds");
  CHECK_THROWS_WITH(response.read_to_end(), "GET http://h/events timed out after 0.02 seconds");
  scene.loop.log.expect_any("499 GET /events");
}

TEST_CASE("a connection that ends early is an error behind the bytes that arrived", "[streamed_response]") {
  Scene scene([](http::Exchange& exchange) {
    exchange.headers().set("Content-Length", "9");
    exchange.write("half");
    exchange.abort();
  });
  StreamedResponse response = scene.ask();
  CHECK_THROWS_AS(response.read_to_end(), http::HTTPStreamClosedError);
  scene.loop.log.expect_any("");
}

TEST_CASE("a response without a body has a status and headers", "[streamed_response]") {
  Scene scene([](http::ServerRequest&) { return http::ServerResponse(204); });
  StreamedResponse response = scene.ask();
  CHECK(response.read().empty());
  CHECK(response.status() == 204);
  CHECK(response.headers().contains("Server"));
}

TEST_CASE("redirects are followed before the head", "[streamed_response]") {
  Scene scene([](http::ServerRequest& request) {
    return request.path() == "/a" ? http::ServerResponse::redirect("/b") : http::ServerResponse("b");
  });
  StreamedResponse response = scene.ask("http://h/a");
  CHECK(response.status() == 200);
  CHECK(response.read_to_end() == "b");
}

}  // namespace
}  // namespace squall::streamed_response_test
