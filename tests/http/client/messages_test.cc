// The texts of the client's errors: what happened, to whom, once each.

#include <squall/http.h>

#include <fmt/format.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "support/answer_server.h"
#include "support/environment_variable.h"
#include "support/http_clients.h"
#include "support/stream_pair.h"
#include "support/tls_pair.h"

namespace squall::http::messages_test {
namespace {

using namespace std::chrono_literals;
using testing::AnswerServer;
using testing::ClientFixture;
using testing::ok;
using Simple = ClientFixture<SimpleAsyncHTTPClient>;

template <class Fixture>
std::string error_of(Fixture& fixture, HTTPRequest request) {
  try {
    fixture.fetch(std::move(request));
  } catch (const std::exception& error) {
    return error.what();
  }
  return "none";
}

ProxyOptions proxy_at(std::uint16_t port) {
  ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = port;
  return proxy;
}

std::uint16_t closed_port(IOLoop& loop) {
  const AnswerServer server(loop, [](const std::string&) { return std::string(); });
  return server.port();
}

Task<> wait_for_ever(IOStream& stream) {
  for (;;) {
    const std::string_view bytes = co_await stream.read_some(std::nothrow);
    if (bytes.empty()) co_return;
  }
}

TEMPLATE_TEST_CASE("a connection to a proxy that fails names the proxy", "[messages]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  const std::uint16_t closed = closed_port(fixture.loop);
  const std::string expected =
      fmt::format("HTTP 599: Connection refused (connecting to proxy 127.0.0.1:{})", closed);
  for (const char* const url : {"http://www.example.test/", "https://www.example.test/"}) {
    HTTPRequest request(url);
    request.proxy = proxy_at(closed);
    CHECK(error_of(fixture, request) == expected);
  }
  for (const char* const spelling :
       {"http://127.0.0.1:{}", "http://127.0.0.1:{}/path", "http://me:pw@127.0.0.1:{}/"}) {
    CAPTURE(spelling);
    const testing::EnvironmentVariable http_proxy("http_proxy",
                                                  fmt::format(fmt::runtime(spelling), closed).c_str());
    const testing::EnvironmentVariable no_proxy("no_proxy");
    HTTPRequest request("http://www.example.test/");
    request.proxy_from_environment = true;
    CHECK(error_of(fixture, request) == expected);
  }
}

TEMPLATE_TEST_CASE("a proxy that forwards is the peer of the request", "[messages]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return std::string(); });
  fixture.server.set_script(wait_for_ever);
  HTTPRequest request("http://www.example.test/");
  request.proxy = proxy_at(fixture.server.port());
  request.request_timeout = 500ms;
  CHECK(error_of(fixture, request) ==
        fmt::format("HTTP 599: Timeout during request (waiting for proxy 127.0.0.1:{})",
                    fixture.server.port()));
}

TEST_CASE("a proxy that does not answer CONNECT is named", "[messages]") {
  Simple fixture([](const std::string&) { return std::string(); });
  fixture.server.set_script(wait_for_ever);
  HTTPRequest request("https://www.example.test/");
  request.proxy = proxy_at(fixture.server.port());
  request.validate_cert = false;  // loading the system's store may take as long as the timeout
  request.request_timeout = 700ms;
  CHECK(error_of(fixture, request) ==
        fmt::format("HTTP 599: Timeout while connecting (asking proxy 127.0.0.1:{})", fixture.server.port()));
}

TEMPLATE_TEST_CASE("a proxy that refuses the tunnel is named once", "[messages]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture(
      [](const std::string&) { return testing::answer("403 Not You", "", "Connection: close\r\n"); });
  HTTPRequest request("https://www.example.test/");
  request.proxy = proxy_at(fixture.server.port());
  const bool has_reason = std::is_same_v<TestType, SimpleAsyncHTTPClient>;
  CHECK(error_of(fixture, request) ==
        fmt::format("HTTP 599: The proxy refused the tunnel: 403{} (asking proxy 127.0.0.1:{})",
                    has_reason ? " Not You" : "", fixture.server.port()));
}

TEST_CASE("a response that is not of HTTP/1 says so", "[messages]") {
  for (const auto& [bytes, reason] : {std::pair("HTTP/2 200\r\n\r\n", "Not a response of HTTP/1"),
                                      std::pair("HTTP/3.0 200 OK\r\n\r\n", "Malformed status line"),
                                      std::pair("SSH-2.0-OpenSSH_9\r\n", "Not an HTTP response")}) {
    Simple fixture([bytes = bytes](const std::string&) { return std::string(bytes); });
    CHECK(error_of(fixture, HTTPRequest(fixture.server.url())) ==
          fmt::format("HTTP 599: {} (waiting for {})", reason, fixture.server.authority()));
  }
}

TEST_CASE("a TLS connection that ends without close_notify says so", "[messages]") {
  const testing::TLSSides sides;
  Simple fixture([](const std::string&) { return std::string(); });
  fixture.server.use_tls(sides.server());
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 200 OK\r\n\r\npart");
    ::shutdown(stream.fd(), SHUT_RDWR);
  });
  HTTPRequest request(fmt::format("https://localhost:{}/", fixture.server.port()));
  request.tls = std::make_shared<TLSContext>(sides.client());
  CHECK(error_of(fixture, request) ==
        fmt::format("HTTP 599: The connection ended without TLS's close_notify (reading from localhost:{})",
                    fixture.server.port()));
}

TEST_CASE("a failed handshake names the peer once, and is not logged", "[messages]") {
  Simple fixture([](const std::string&) { return std::string(); });
  fixture.server.set_script([](IOStream& stream) -> Task<> { co_await stream.write("no TLS here, sorry"); });
  HTTPRequest request(fmt::format("https://127.0.0.1:{}/", fixture.server.port()));
  CHECK(
      error_of(fixture, request) ==
      fmt::format("HTTP 599: wrong version number, or no TLS at all (in the TLS handshake with 127.0.0.1:{})",
                  fixture.server.port()));
}

TEST_CASE("a request with a malformed URL quotes the URL", "[messages]") {
  Simple fixture([](const std::string&) { return std::string(); });
  CHECK(error_of(fixture, HTTPRequest("http://a b/")) == "Invalid URL 'http://a b/': a space (at byte 8)");
}

TEST_CASE("control characters in a message are escaped", "[messages]") {
  using namespace std::string_literals;
  HTTPClientError::Failure failure;
  failure.phase = FetchPhase::connect;
  failure.peer = "a\0b:80"s;
  CHECK(HTTPClientError("No\nway", failure).what() == "HTTP 599: No\\x0away (connecting to a\\x00b:80)"s);
  Simple fixture([](const std::string&) { return std::string(); });
  HTTPRequest request(fixture.server.url());
  request.method = "GE\0T"s;
  CHECK(error_of(fixture, request) == "Invalid method 'GE\\x00T'");
}

}  // namespace
}  // namespace squall::http::messages_test
