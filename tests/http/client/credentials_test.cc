#include <squall/http/client/credentials.h>

#include <squall/http.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/environment_variable.h"
#include "support/http_clients.h"

namespace squall::http::credentials_test {
namespace {

using testing::answer;
using testing::ClientFixture;
using testing::ok;

constexpr std::string_view kInjected = "X-Injected";

// Control characters, as a URL has them and as an option has them.
struct Control {
  std::string_view escaped;
  std::string_view plain;
};
constexpr Control kControls[] = {{"%0d%0aX-Injected:%20x", "\r\nX-Injected: x"},
                                 {"%0A", "\n"},
                                 {"%00", std::string_view("\0", 1)},
                                 {"%09", "\t"},
                                 {"%7f", "\x7f"}};

// The modes of authentication that the client has.
template <class Client>
std::vector<AuthMode> modes() {
#ifdef SQUALL_HAS_CURL
  if (std::is_same_v<Client, CurlAsyncHTTPClient>) return {AuthMode::basic, AuthMode::digest};
#endif
  return {AuthMode::basic};
}

// Asks for digest authentication, as a server and as a proxy.
std::string ask(const std::string&) {
  return answer("401 Who", "out",
                "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
}

template <class Client>
struct Scene : ClientFixture<Client> {
  Scene() : ClientFixture<Client>(ask) {}

  // The text of the error with which the request is refused.
  std::string refusal(HTTPRequest request) {
    try {
      this->fetch(std::move(request), RaiseError::no);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "not refused";
  }
  ProxyOptions proxy() const {
    ProxyOptions proxy;
    proxy.host = "127.0.0.1";
    proxy.port = this->server.port();
    return proxy;
  }
};

TEMPLATE_TEST_CASE("control characters in the credentials of a URL are refused (RFC 7617, 2)",
                   "[credentials]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  for (const AuthMode mode : modes<TestType>())
    for (const Control& control : kControls) {
      HTTPRequest request(fmt::format("http://me{}:pw@{}/", control.escaped, scene.server.authority()));
      request.auth_mode = mode;
      CHECK(scene.refusal(request) == "Control character in the username of the URL");
      request.url = fmt::format("http://me:{}pw@{}/", control.escaped, scene.server.authority());
      CHECK(scene.refusal(request) == "Control character in the password of the URL");
    }
  CHECK(scene.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("control characters in auth_username and auth_password are refused", "[credentials]",
                   HTTP_CLIENTS) {
  Scene<TestType> scene;
  for (const AuthMode mode : modes<TestType>())
    for (const Control& control : kControls) {
      HTTPRequest request(scene.server.url());
      request.auth_mode = mode;
      request.auth_username = "me" + std::string(control.plain);
      CHECK(scene.refusal(request) == "Control character in auth_username");
      request.auth_username = "me";
      request.auth_password = std::string(control.plain) + "pw";
      CHECK(scene.refusal(request) == "Control character in auth_password");
      // The credentials in the URL are used instead, but a redirect could lead back to the options.
      request.url = fmt::format("http://you:pw@{}/", scene.server.authority());
      CHECK(scene.refusal(request) == "Control character in auth_password");
    }
  CHECK(scene.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("control characters in the defaults of a client are refused", "[credentials]",
                   HTTP_CLIENTS) {
  AsyncHTTPClient::Options options;
  options.defaults.auth_username = "me\r\nX-Injected: x";
  ClientFixture<TestType> fixture(ask, options);
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), std::invalid_argument);
  CHECK(fixture.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("control characters in the credentials of a proxy are refused", "[credentials]",
                   HTTP_CLIENTS) {
  Scene<TestType> scene;
  for (const std::string_view url : {"http://www.example.test/", "https://www.example.test/"})
    for (const AuthMode mode : modes<TestType>())
      for (const Control& control : kControls) {
        HTTPRequest request{std::string(url)};
        ProxyOptions proxy = scene.proxy();
        proxy.auth_mode = mode;
        proxy.username = "me" + std::string(control.plain);
        request.proxy = proxy;
        CHECK(scene.refusal(request) == "Control character in the username of the proxy");
        proxy.username = "me";
        proxy.password = "pw" + std::string(control.plain);
        request.proxy = proxy;
        CHECK(scene.refusal(request) == "Control character in the password of the proxy");
        // libcurl would read a username out of this host.
        proxy.username = proxy.password = "";
        proxy.host = fmt::format("me{}:pw@127.0.0.1", control.escaped);
        request.proxy = proxy;
        CHECK(scene.refusal(request) == "Control character in the host of the proxy");
      }
  CHECK(scene.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("control characters in the credentials of the environment's proxy are refused",
                   "[credentials]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  const testing::EnvironmentVariable none("no_proxy");
  const testing::EnvironmentVariable none_either("NO_PROXY");
  for (const Control& control : kControls) {
    const std::string text = fmt::format("http://me{}:pw@127.0.0.1:{}", control.escaped, scene.server.port());
    const testing::EnvironmentVariable variable("http_proxy", text.c_str());
    HTTPRequest request("http://www.example.test/");
    request.proxy_from_environment = true;
    const std::string refusal = scene.refusal(request);
    CHECK(refusal.starts_with("Control character in the "));
    CHECK(refusal.find("proxy") != refusal.npos);
  }
  CHECK(scene.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("control characters in the credentials of a Location are an error of the server",
                   "[credentials]", HTTP_CLIENTS) {
  for (const AuthMode mode : modes<TestType>())
    for (const Control& control : kControls)
      for (const std::string_view host : {"127.0.0.1", "localhost"}) {  // the origin, and another one
        ClientFixture<TestType> fixture([&](const std::string& request) {
          return request.starts_with("GET /from ")
                     ? answer("302 Found", "",
                              fmt::format("Location: http://me{}:pw@{}:{}/to\r\n", control.escaped, host,
                                          fixture.server.port()))
                     : ask(request);
        });
        HTTPRequest request(fmt::format("http://127.0.0.1:{}/from", fixture.server.port()));
        request.auth_mode = mode;
        try {
          fixture.fetch(request);
          FAIL("not refused");
        } catch (const HTTPClientError& error) {
          const std::string text = error.what();
          CHECK(text.find("Control character in the username of the URL") != text.npos);
          CHECK(error.phase() == FetchPhase::redirect);
        }
        REQUIRE(fixture.server.requests.size() == 1);
        CHECK(fixture.server.requests[0].find(kInjected) == std::string::npos);
      }
}

TEMPLATE_TEST_CASE("credentials may have any other character", "[credentials]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  for (const AuthMode mode : modes<TestType>()) {
    HTTPRequest request(fmt::format("http://m%20e%C3%A9%22%5c:p%3aw@{}/", scene.server.authority()));
    request.auth_mode = mode;
    CHECK(scene.fetch(request, RaiseError::no).status() == 401);
    const std::string& sent = scene.server.requests.back();
    CHECK(sent.find("\r\nAuthorization: ") != sent.npos);
  }
}

TEST_CASE("a dialer refuses control characters in the credentials of its proxy", "[credentials]") {
  testing::TestLoop loop;
  DialOptions options;
  options.proxy = ProxyOptions{"127.0.0.1", 1, "me\r\nX-Injected: x", "pw"};
  Dialer dialer(DialTarget("www.example.test", 80), options);
  CHECK_THROWS_AS(loop.run(dialer.dial()), std::invalid_argument);
}

}  // namespace
}  // namespace squall::http::credentials_test
