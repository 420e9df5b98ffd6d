#include <squall/testing/http_test_case.h>

#include <squall/http/client/simple_http_client.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/testing/certificates.h>
#include <squall/testing/log_capture.h>
#include <squall/web.h>

#include <fmt/format.h>

#include <string>
#include <type_traits>
#include <vector>

#include "support/environment_variable.h"
#include "support/temporary_folder.h"
#include "support/test_loop.h"

namespace squall::http_test_case_test {
namespace {

using namespace std::chrono_literals;
using testing::EnvironmentVariable;
using testing::HTTPSTestCase;
using testing::HTTPTestCase;
using testing::Live;
using testing::LogCapture;
using web::RequestHandler;

class HelloHandler : public RequestHandler {
 public:
  void get() { write(fmt::format("{} {}", request().protocol(), request().remote_ip())); }
  void post() { write(request().body()); }
};
class SlowHandler : public RequestHandler {
 public:
  Task<> get() {
    const Live live;
    co_await sleep(1h);
  }
};

std::unique_ptr<http::ServerDelegate> make_app() {
  return std::make_unique<web::Application>(
      std::vector{web::url<HelloHandler>("/"), web::url<SlowHandler>("/slow")});
}

struct HelloTest : HTTPTestCase {
  std::unique_ptr<http::ServerDelegate> get_app() override {
    ++apps;
    return make_app();
  }
  int apps = 0;
};
struct SecureTest : HTTPSTestCase {
  std::unique_ptr<http::ServerDelegate> get_app() override { return make_app(); }
};

// A fixture of GoogleTest, whose destructor must not throw, can derive from it too.
static_assert(std::is_nothrow_destructible_v<HelloTest>);

TEST_CASE_METHOD(HelloTest, "a path is fetched from a server on 127.0.0.1 (TST-10)", "[http_test_case]") {
  CHECK(apps == 0);
  const http::HTTPResponse response = fetch("/");
  CHECK(response.status() == 200);
  CHECK(response.body() == "http 127.0.0.1");
  CHECK(get_protocol() == "http");
  CHECK(get_http_port() == server().port());
  CHECK(get_url("/a?b") == fmt::format("http://127.0.0.1:{}/a?b", get_http_port()));
  CHECK(fetch(get_url("/")).body() == "http 127.0.0.1");
  CHECK(fetch("HTTP" + get_url("/").substr(4)).body() == "http 127.0.0.1");
  CHECK(fetch("/", {.method = "POST", .body = "sent"}).body() == "sent");
  CHECK(apps == 1);
}

TEST_CASE_METHOD(HelloTest, "fetch() returns a response of any status unless raise_error is yes (TST-10)",
                 "[http_test_case]") {
  LogCapture log;
  CHECK(fetch("/missing").status() == 404);
  CHECK_THROWS_WITH(fetch("/missing", {.raise_error = http::RaiseError::yes}), "HTTP 404: Not Found");
  CHECK(log.expect_any("404 GET /missing (127.0.0.1)") == 2);
}

TEST_CASE_METHOD(HelloTest, "a request without an answer is a TimeoutError that names it",
                 "[http_test_case]") {
  LogCapture log;
  const EnvironmentVariable variable("ASYNC_TEST_TIMEOUT", "0.1");
  const std::string message = fmt::format("GET {} timed out after 0.1 seconds", get_url("/slow"));
  CHECK_THROWS_WITH(fetch("/slow"), message);
  log.expect_any("499 GET /slow");
}

Task<int> fetch_twice(HTTPTestCase& test) {
  const std::string url = test.get_url("/");
  const http::HTTPResponse first = co_await test.client().fetch(url);
  const http::HTTPResponse second = co_await test.client().fetch(url);
  co_return first.status() + second.status();
}

TEST_CASE_METHOD(HelloTest, "a task runs on the loop of the case", "[http_test_case]") {
  CHECK(run(fetch_twice(*this)) == 400);
  CHECK(&loop() == &IOLoop::current());
}

TEST_CASE("tear_down() stops the server, cancels its handlers and closes the client (TST-10)",
          "[http_test_case]") {
  LogCapture log;
  HelloTest test;
  const std::string url = test.get_url("/slow");
  auto pending = test.client().fetch(url);
  bool closed = false;
  test.loop().spawn([](Task<http::HTTPResponse> fetching, bool& closed) -> Task<> {
    const bool thrown = co_await testing::throws<http::HTTPClientError>(std::move(fetching));
    closed = thrown;
  }(std::move(pending), closed));
  testing::Patience(test.loop()).run_until([] { return Live::count == 1; });
  test.tear_down();
  CHECK(Live::count == 0);
  CHECK(closed);
  test.tear_down();
  log.expect_any("499 GET /slow");
  CHECK(test.fetch("/").status() == 200);
  CHECK(test.apps == 2);
}

TEST_CASE_METHOD(SecureTest, "the same over TLS, with a certificate for foo.example.com (TST-11)",
                 "[http_test_case]") {
  CHECK(fetch("/").body() == "https 127.0.0.1");
  CHECK(get_protocol() == "https");
  CHECK(get_url("/").starts_with("https://127.0.0.1:"));
  http::HTTPRequest verified(get_url("/"));
  verified.validate_cert = true;
  LogCapture log;
  CHECK_THROWS_AS(fetch(std::move(verified)), http::HTTPClientError);
  log.expect_any("");
}

struct OwnCertificateTest : SecureTest {
  std::optional<TLSServerOptions> get_ssl_options() override {
    TLSServerOptions options;
    options.certificates.push_back({.certfile = certfile, .keyfile = keyfile});
    return options;
  }
  std::unique_ptr<http::AsyncHTTPClient> get_http_client() override {
    http::AsyncHTTPClient::Options options;
    options.defaults.ca_certs = certfile;
    return std::make_unique<http::SimpleAsyncHTTPClient>(std::move(options), loop());
  }

  testing::TemporaryFolder folder;
  TLSCertificate certificate = testing::self_signed({.names = {"IP:127.0.0.1"}});
  std::string certfile = folder.file("cert.pem", certificate.cert_pem);
  std::string keyfile = folder.file("key.pem", certificate.key_pem);
};

TEST_CASE_METHOD(OwnCertificateTest, "a case may have a certificate and a client of its own (TST-11)",
                 "[http_test_case]") {
  CHECK(fetch("/").body() == "https 127.0.0.1");
}

struct LimitedTest : HelloTest {
  http::HTTPServerOptions get_httpserver_options() override { return {.max_body_size = 3}; }
};

TEST_CASE_METHOD(LimitedTest, "a case has its options of the server (TST-10)", "[http_test_case]") {
  LogCapture log;
  CHECK(fetch("/", {.method = "POST", .body = "long"}).status() == 413);
  log.expect_any("");
}

}  // namespace
}  // namespace squall::http_test_case_test
