#include <squall/testing/test_client.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/sync/event.h>
#include <squall/testing/virtual_clock.h>
#include <squall/web.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "support/environment_variable.h"
#include "support/test_loop.h"

namespace squall::test_client_test {
namespace {

using namespace std::chrono_literals;
using http::HTTPResponse;
using testing::EnvironmentVariable;
using testing::TestLoop;
using testing::VirtualClock;
using web::RequestHandler;
using web::TestClient;
using web::TestClientOptions;

// Answers each method with the request that it has received.
class EchoHandler : public RequestHandler {
 public:
  void get() { describe(); }
  void head() { describe(); }
  void post() { describe(); }
  void put() { describe(); }
  void patch() { describe(); }
  void delete_() { describe(); }
  void options() { describe(); }

 private:
  void describe() {
    set_header("X-Method", request().method_name());
    write(fmt::format("{} {}://{}{} {} {}", request().method_name(), request().protocol(),
                      request().headers().get("Host"), request().target(), request().remote_ip(),
                      request().body()));
  }
};
class FormHandler : public RequestHandler {
 public:
  void post() { write(get_argument("name") + "|" + request().headers().get("X-Token")); }
};
class LoginHandler : public RequestHandler {
 public:
  void get() { write(request().headers().get("Cookie")); }
  void post() {
    add_header("Set-Cookie", "user=ada; Path=/");
    add_header("Set-Cookie", "safe=1; Path=/; Secure");
    set_header("Location", "/login");
    set_status(302);
  }
};
class SlowHandler : public RequestHandler {
 public:
  Task<> get() {
    co_await sleep(24h);
    write("slow");
  }
};
class LinesHandler : public RequestHandler {
 public:
  Task<> get() {
    for (int i = 0; i < 3; ++i) {
      write(fmt::format("line {}\n", i));
      co_await flush();
    }
  }
};
class BrokenHandler : public RequestHandler {
 public:
  void get() { throw std::runtime_error("broken"); }
};

struct Scene {
  explicit Scene(const IOLoop::Options& options = {}) : loop(options) {}
  TestLoop loop;
  web::Application app{{web::url<EchoHandler>("/echo.*"), web::url<FormHandler>("/form"),
                        web::url<LoginHandler>("/login"), web::url<SlowHandler>("/slow"),
                        web::url<LinesHandler>("/lines"), web::url<BrokenHandler>("/broken")}};
};

TEST_CASE("a client of an application returns the response of a path", "[test_client]") {
  Scene scene;
  CHECK(TestClient(scene.app).get("/echo?a=1").body() == "GET http://localhost/echo?a=1 127.0.0.1 ");
  TestClient client(scene.app);
  const HTTPResponse missing = client.get("/missing");
  CHECK(missing.status() == 404);
  CHECK(missing.headers().get("Content-Type") == "text/html; charset=UTF-8");
  scene.loop.log.expect("404 GET /missing (127.0.0.1)");
  CHECK(client.get("/echo/../x").body() == "GET http://localhost/echo/../x 127.0.0.1 ");
  CHECK(client.get("http://other.test/echo").body() == "GET http://other.test/echo 127.0.0.1 ");
}

TEST_CASE("each method has a function", "[test_client]") {
  Scene scene;
  TestClient client(scene.app);
  const auto body = [](const HTTPResponse& response) {
    return response.body().substr(0, response.body().find(' '));
  };
  CHECK(body(client.get("/echo")) == "GET");
  CHECK(body(client.post("/echo")) == "POST");
  CHECK(body(client.put("/echo")) == "PUT");
  CHECK(body(client.patch("/echo")) == "PATCH");
  CHECK(body(client.delete_("/echo")) == "DELETE");
  CHECK(body(client.options("/echo")) == "OPTIONS");
  const HTTPResponse head = client.head("/echo");
  CHECK(head.body().empty());
  CHECK(head.headers().get("X-Method") == "HEAD");
  CHECK(client.request("PROPFIND", "/echo").status() == 405);
  scene.loop.log.expect("405 PROPFIND /echo");
}

TEST_CASE("a request has the headers and the body of its options", "[test_client]") {
  Scene scene;
  TestClient client(scene.app);
  CHECK(client.post("/form", {.headers = {{"X-Token", "t"}}, .form = {{"name", "Ada L"}}}).body() ==
        "Ada L|t");
  CHECK(client.put("/echo", {.json = R"({"a":1})"}).body() ==
        R"(PUT http://localhost/echo 127.0.0.1 {"a":1})");
  CHECK_THROWS_AS(client.get("/echo", {.body = "x"}), std::invalid_argument);
  http::HTTPRequest request("http://localhost/echo");
  request.user_agent = std::nullopt;
  CHECK(client.request(std::move(request)).status() == 200);
}

TEST_CASE("redirects are followed unless the options say otherwise, and cookies are kept", "[test_client]") {
  Scene scene;
  TestClient client(scene.app);
  const HTTPResponse redirect = client.post("/login", {.follow_redirects = false});
  CHECK(redirect.status() == 302);
  CHECK(redirect.headers().get("Location") == "/login");
  CHECK(client.cookie("user") == "ada");
  CHECK(client.cookie("safe") == std::nullopt);
  CHECK(client.get("/login").body() == "user=ada");
  client.cookie_jar().clear();
  CHECK(client.post("/login").body() == "user=ada");
  client.set_cookie("theme", "dark;blue");
  CHECK(client.cookie("theme") == "dark;blue");
  CHECK_THROWS_AS(client.set_cookie("a b", "x"), http::CookieError);
  CHECK(TestClient(scene.app).get("/login").body().empty());
}

TEST_CASE("with an https base URL the protocol is https, and Secure cookies are kept", "[test_client]") {
  Scene scene;
  TestClientOptions options;
  options.base_url = "https://shop.test";
  options.in_process.peer = *Address::parse_ip("192.0.2.9");
  TestClient client(scene.app, options);
  CHECK(client.get("/echo").body() == "GET https://shop.test/echo 192.0.2.9 ");
  CHECK(client.post("/login").body() == "user=ada; safe=1");
}

TEST_CASE("an exception of a handler is the application's 500, and raise_error throws for it",
          "[test_client]") {
  Scene scene;
  TestClient client(scene.app);
  CHECK(client.get("/broken").status() == 500);
  CHECK_THROWS_WITH(client.get("/broken", {.raise_error = http::RaiseError::yes}),
                    "HTTP 500: Internal Server Error");
  scene.loop.log.expect_any("broken");
}

TEST_CASE("a handler that does not answer is a TimeoutError that names the request", "[test_client]") {
  const EnvironmentVariable variable("ASYNC_TEST_TIMEOUT", "0.02");
  Scene scene;
  TestClient client(scene.app);
  CHECK_THROWS_AS(client.get("/slow"), TimeoutError);
  CHECK_THROWS_WITH(client.get("/slow"), "GET http://localhost/slow timed out after 0.02 seconds");
  scene.loop.log.expect_any("499 GET /slow");
}

TEST_CASE("a virtual clock skips the waits of a handler", "[test_client]") {
  VirtualClock clock;
  Scene scene({.time_source = &clock});
  CHECK(TestClient(scene.app).get("/slow").body() == "slow");
}

TEST_CASE("a streamed response can be read line by line", "[test_client]") {
  Scene scene;
  TestClient client(scene.app);
  testing::StreamedResponse lines = client.stream("/lines");
  CHECK(lines.status() == 200);
  CHECK(lines.read_until("\n") == "line 0\n");
  CHECK(lines.read_until("\n") == "line 1\n");
  CHECK(lines.read_to_end() == "line 2\n");
}

Task<std::string> ask_in_a_task(TestClient& client) {
  testing::RequestOptions options;
  options.method = "PUT";
  options.body = "x";
  const HTTPResponse put = co_await client.fetch("/echo", options);
  const HTTPResponse response = co_await client.fetch("/echo");
  std::string error;
  try {
    client.get("/echo");
  } catch (const std::logic_error& thrown) {
    error = thrown.what();
  }
  co_return fmt::format("{} {} {}", put.headers().get("X-Method"), response.status(), error);
}

TEST_CASE("in a running loop tasks await fetch(), and get() throws", "[test_client]") {
  Scene scene;
  TestClient client(scene.app);
  CHECK(scene.loop.run(ask_in_a_task(client)) ==
        "PUT 200 GET http://localhost/echo: the loop runs already; await the task instead");
}

Task<> several(TestClient& client, std::vector<int>& statuses) {
  std::vector<Task<HTTPResponse>> requests;
  for (int i = 0; i < 50; ++i) requests.push_back(client.fetch("/slow"));
  const std::vector<HTTPResponse> responses = co_await multi(std::move(requests));
  for (const HTTPResponse& response : responses) statuses.push_back(response.status());
}

TEST_CASE("many requests can wait at the same time", "[test_client]") {
  VirtualClock clock;
  Scene scene({.time_source = &clock});
  TestClient client(scene.app);
  std::vector<int> statuses;
  const auto begun = clock.now();
  scene.loop.run(several(client, statuses));
  CHECK(statuses == std::vector<int>(50, 200));
  CHECK(clock.now() - begun == 24h);
}

}  // namespace
}  // namespace squall::test_client_test
