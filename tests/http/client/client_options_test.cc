// Connections to a server other than direct TCP, the handling of bodies, and cookies.

#include <squall/http.h>
#include <squall/http/client/proxy_environment.h>
#include <squall/iostream/socket/socket.h>

#include <fmt/format.h>
#include <net/if.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/answer_server.h"
#include "support/environment_variable.h"
#include "support/fake_resolver.h"
#include "support/gzip.h"
#include "support/http_clients.h"
#include "support/http_fixture.h"
#include "support/listeners.h"
#include "support/temporary_folder.h"
#include "support/tls_pair.h"

namespace squall::http::client_options_test {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::AnswerServer;
using testing::ClientFixture;
using testing::gzipped;
using testing::ok;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;
using Options = AsyncHTTPClient::Options;

bool has(const std::string& request, std::string_view text) { return request.find(text) != request.npos; }

// ---- Bodies.

TEMPLATE_TEST_CASE("the client asks for a compressed body, and decompresses it (HCL-22)", "[client_options]",
                   HTTP_CLIENTS) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += fmt::format("line {}\n", i);
  const std::string coded = gzipped(text);
  ClientFixture<TestType> fixture([&](const std::string& request) {
    return has(request, "\r\nAccept-Encoding: gzip") ? ok(coded, "Content-Encoding: gzip\r\n") : ok(text);
  });
  HTTPRequest request(fixture.server.url());
  CHECK((fixture.fetch(request).body() == text));
  std::string streamed;
  request.streaming_callback = [&streamed](std::string_view piece) { streamed += piece; };
  fixture.fetch(request);
  CHECK((streamed == text));
  request = HTTPRequest(fixture.server.url());
  request.decompress_response = false;
  CHECK((fixture.fetch(request).body() == text));
  CHECK_FALSE(has(fixture.server.requests.back(), "Accept-Encoding"));
  // The limit is for the decompressed size.
  request = HTTPRequest(fixture.server.url());
  request.max_body_size = text.size() - 1;
  CHECK_THROWS_AS(fixture.fetch(request), HTTPBodyTooLargeError);
  request.max_body_size = text.size();
  CHECK(fixture.fetch(request).body().size() == text.size());
}

TEMPLATE_TEST_CASE("a body that cannot be decoded, or ends too early, is an error", "[client_options]",
                   HTTP_CLIENTS) {
  const std::string coded = gzipped("hello, hello, hello");
  ClientFixture<TestType> fixture([&](const std::string& request) {
    const std::string body =
        has(request, "GET /cut ") ? coded.substr(0, coded.size() - 9) : std::string("this is no gzip at all");
    return ok(body, "Content-Encoding: gzip\r\n");
  });
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url("/bad")), HTTPClientError);
  // libcurl accepts the part.
  if constexpr (std::is_same_v<TestType, SimpleAsyncHTTPClient>)
    CHECK_THROWS_AS(fixture.fetch(fixture.server.url("/cut")), HTTPProtocolError);
}

TEST_CASE("the headers of a decompressed body name its coding, and an unknown coding is not decoded",
          "[client_options]") {
  const std::string coded = gzipped("hello");
  Fixture fixture([&](const std::string& request) {
    if (request.starts_with("HEAD"))
      return fmt::format("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                         coded.size());
    return has(request, "/other ") ? ok("as it is", "Content-Encoding: x-own\r\n")
                                   : ok(coded, "Content-Encoding: gzip\r\n");
  });
  const HTTPResponse response = fixture.fetch(fixture.server.url());
  CHECK(response.body() == "hello");
  CHECK_FALSE(response.headers().contains("Content-Encoding"));
  CHECK(response.headers().find("X-Consumed-Content-Encoding") == "gzip");
  CHECK(response.headers().find("Content-Length") == std::to_string(coded.size()));
  CHECK(fixture.fetch(fixture.server.url("/other")).body() == "as it is");
  HTTPRequest head(fixture.server.url());
  head.method = "HEAD";
  CHECK(fixture.fetch(head).status() == 200);
}

// ---- Cookies.

TEMPLATE_TEST_CASE(
    "a cookie jar stores the cookies of all responses, redirects included, and sends them (RFC 6265)",
    "[client_options]", HTTP_CLIENTS) {
  Options options;
  options.cookie_jar = std::make_shared<CookieJar>();
  ClientFixture<TestType> fixture(
      [](const std::string& request) {
        return has(request, "GET /login ") ? answer("302 Found", "", "Set-Cookie: a=1\r\nLocation: /in\r\n")
                                           : ok("", "Set-Cookie: b=2; Path=/in\r\n");
      },
      options);
  fixture.fetch(fixture.server.url("/login"));
  CHECK(has(fixture.server.requests.at(1), "\r\nCookie: a=1\r\n"));
  HTTPRequest request(fixture.server.url("/in"));
  request.headers.add("Cookie", "own=3");
  fixture.fetch(request);
  CHECK(has(fixture.server.requests.at(2), "\r\nCookie: own=3; b=2; a=1\r\n"));
  fixture.fetch(fixture.server.url("/out"));
  CHECK(has(fixture.server.requests.at(3), "\r\nCookie: a=1\r\n"));
  request = HTTPRequest(fixture.server.url("/out"));
  request.headers.add("Cookie", "own=3");
  request.headers.add("Cookie", "other=4");
  fixture.fetch(request);
  CHECK(has(fixture.server.requests.at(4), "\r\nCookie: own=3; other=4; a=1\r\n"));
  CHECK(options.cookie_jar->size() == 2);
}

// ---- Proxies.

TEMPLATE_TEST_CASE("a proxy gets the whole URL, and its own credentials (HCL-27)", "[client_options]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("by proxy"); });
  HTTPRequest request("http://www.example.test:81/path?q");
  ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = fixture.server.port();
  proxy.username = "me";
  proxy.password = "pw";
  request.proxy = proxy;
  CHECK(fixture.fetch(request).body() == "by proxy");
  CHECK(fixture.fetch(request).effective_url() == request.url);
  const std::string& sent = fixture.server.requests.at(0);
  CHECK(sent.starts_with("GET http://www.example.test:81/path?q HTTP/1.1\r\n"));
  CHECK(has(sent, "\r\nHost: www.example.test:81\r\n"));
  CHECK(has(sent, "\r\nProxy-Authorization: Basic bWU6cHc=\r\n"));
  CHECK(fixture.server.accepted_connections == 1);
}

TEMPLATE_TEST_CASE("a Proxy-Authorization header is sent to a proxy, but never to a server",
                   "[client_options]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); });
  HTTPRequest request(fixture.server.url());
  request.headers.add("Proxy-Authorization", "mine");
  fixture.fetch(request);
  CHECK_FALSE(has(fixture.server.requests.back(), "Proxy-Authorization"));
  ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = fixture.server.port();
  request.proxy = proxy;
  fixture.fetch(request);
  CHECK(has(fixture.server.requests.back(), "\r\nProxy-Authorization: mine\r\n"));
}

TEST_CASE("digest authentication for a proxy is refused, and not replaced by another method",
          "[client_options]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  for (const std::string_view url : {"http://www.example.test/", "https://www.example.test/"}) {
    HTTPRequest request{std::string(url)};
    ProxyOptions proxy;
    proxy.host = "127.0.0.1";
    proxy.port = fixture.server.port();
    proxy.username = "me";
    proxy.password = "pw";
    proxy.auth_mode = AuthMode::digest;
    request.proxy = proxy;
    CHECK_THROWS_AS(fixture.fetch(request), std::invalid_argument);
  }
  CHECK(fixture.server.accepted_connections == 0);
}

TEST_CASE(
    "requests with different proxies, different users of a proxy, or no proxy do not share a connection",
    "[client_options]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  HTTPRequest request(fixture.server.url());
  ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = fixture.server.port();
  fixture.fetch(request);
  request.proxy = proxy;
  fixture.fetch(request);
  proxy.username = "one";
  request.proxy = proxy;
  fixture.fetch(request);
  CHECK(fixture.server.accepted_connections == 3);
  fixture.fetch(request);
  CHECK(fixture.server.accepted_connections == 3);
  request.proxy = std::nullopt;
  fixture.fetch(request);
  CHECK(fixture.server.accepted_connections == 3);
  CHECK(fixture.server.requests.back().starts_with("GET / HTTP/1.1\r\n"));
}

// Answers CONNECT, and then copies bytes in both directions.
Task<> tunnel(IOStream& stream, std::uint16_t port, std::vector<std::string>& requests) {
  const std::string request = co_await testing::read_request(stream);
  requests.push_back(request);
  IOStream other = co_await TCPClient::connect("127.0.0.1", port);
  co_await stream.write("HTTP/1.1 200 Connected\r\n\r\n");
  const auto pump = [](IOStream& from, IOStream& to) -> Task<> {
    for (;;) {
      const std::string_view bytes = co_await from.read_some();
      if (bytes.empty()) co_return;
      co_await to.write(bytes);
    }
  };
  co_await race(pump(stream, other), pump(other, stream));
}

struct SecureFixture {
  SecureFixture()
      : server(loop, [](const std::string&) { return ok("secret"); }),
        client(AsyncHTTPClient::Options(), loop) {
    server.use_tls(sides.server());
  }
  HTTPRequest request(std::string_view path = "/") const {
    HTTPRequest request(fmt::format("https://localhost:{}{}", server.port(), path));
    request.allow_ipv6 = false;
    request.tls = std::make_shared<const TLSContext>(sides.client());
    return request;
  }
  testing::TestLoop loop;
  testing::TLSSides sides;
  AnswerServer server;
  SimpleAsyncHTTPClient client;
};

TEST_CASE("https uses TLS, kept connections, and a tunnel through a proxy", "[client_options]") {
  SecureFixture fixture;
  HTTPRequest request = fixture.request();
  CHECK(fixture.loop.run(fixture.client.fetch(request)).body() == "secret");
  CHECK(fixture.loop.run(fixture.client.fetch(request)).body() == "secret");
  CHECK(fixture.server.accepted_connections == 1);

  std::vector<std::string> connects;
  AnswerServer proxy(fixture.loop, [](const std::string&) { return ok("no"); });
  const std::uint16_t port = fixture.server.port();
  proxy.set_script(
      [&connects, port](IOStream& stream) -> Task<> { co_await tunnel(stream, port, connects); });
  ProxyOptions by;
  by.host = "127.0.0.1";
  by.port = proxy.port();
  by.username = "me";
  by.password = "pw";
  request.proxy = by;
  CHECK(fixture.loop.run(fixture.client.fetch(request)).body() == "secret");
  CHECK(fixture.loop.run(fixture.client.fetch(request)).body() == "secret");
  REQUIRE(connects.size() == 1);
  CHECK(connects[0] ==
        fmt::format("CONNECT localhost:{0} HTTP/1.1\r\nHost: localhost:{0}\r\nProxy-Authorization: "
                    "Basic bWU6cHc=\r\n\r\n",
                    port));
  CHECK(fixture.server.requests.back().starts_with("GET / HTTP/1.1\r\n"));
}

TEST_CASE("a proxy that refuses the tunnel, or sends bytes behind its answer, is an error of the proxy phase",
          "[client_options]") {
  SecureFixture fixture;
  for (const std::string_view said : {"HTTP/1.1 407 Log In\r\nContent-Length: 0\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\n\r\nmore", "nonsense\r\n\r\n", ""}) {
    CAPTURE(said);
    AnswerServer proxy(fixture.loop, [said](const std::string&) { return std::string(said); });
    HTTPRequest request = fixture.request();
    ProxyOptions by;
    by.host = "127.0.0.1";
    by.port = proxy.port();
    request.proxy = by;
    bool thrown = false;
    try {
      fixture.loop.run(fixture.client.fetch(request));
    } catch (const HTTPClientError& error) {
      thrown = true;
      CHECK(error.phase() == FetchPhase::proxy);
      CHECK(error.peer() == fmt::format("proxy 127.0.0.1:{}", by.port));
    }
    CHECK(thrown);
  }
}

TEST_CASE("certificates and names are verified unless validate_cert is false (SEC-73, HCL-29)",
          "[client_options]") {
  SecureFixture fixture;
  const auto phase_of = [&fixture](HTTPRequest request) {
    try {
      fixture.loop.run(fixture.client.fetch(std::move(request)));
    } catch (const HTTPClientError& error) {
      return std::string(phase_name(error.phase()));
    }
    return std::string("none");
  };
  testing::LogCapture log(squall::log::Level::none);
  HTTPRequest untrusted = fixture.request();
  untrusted.tls = nullptr;
  CHECK(phase_of(untrusted) == "tls");
  untrusted.validate_cert = false;
  CHECK(phase_of(untrusted) == "none");
  // An unverified connection is not used for a verified request.
  untrusted.validate_cert.reset();
  CHECK(phase_of(untrusted) == "tls");
  const testing::TemporaryFolder folder;
  untrusted.ca_certs = folder.file("ca.pem", fixture.sides.authority.pem());
  CHECK(phase_of(untrusted) == "none");
  Options options;
  SimpleAsyncHTTPClient mapping(options, fixture.loop);
  HTTPRequest elsewhere(fmt::format("https://127.0.0.2:{}/", fixture.server.port()));
  elsewhere.tls = fixture.request().tls;
  CHECK(phase_of(elsewhere) != "none");
}

TEST_CASE("a handshake that does not end is a timeout while connecting", "[client_options]") {
  Fixture fixture([](const std::string&) { return ok(""); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    Event never;
    const std::string_view hello = co_await stream.read_some();
    if (!hello.empty()) co_await never.wait();
  });
  HTTPRequest request(fmt::format("https://127.0.0.1:{}/", fixture.server.port()));
  request.validate_cert = false;  // loading the system's store may take as long as the timeout
  request.connect_timeout = 700ms;
  bool thrown = false;
  try {
    fixture.fetch(request);
  } catch (const HTTPTimeoutError& error) {
    thrown = true;
    CHECK(error.phase() == FetchPhase::tls);
    CHECK(error.message() == "Timeout while connecting");
  }
  CHECK(thrown);
  CHECK(fixture.client.active() == 0);
}

TEMPLATE_TEST_CASE("a request with its own Accept-Encoding, or for a range, is sent as it is",
                   "[client_options]", HTTP_CLIENTS) {
  const std::string coded = gzipped("the whole text");
  const std::string part = coded.substr(0, 10);
  ClientFixture<TestType> fixture([&](const std::string& request) {
    const std::string_view fields = "Content-Encoding: gzip\r\nContent-Range: bytes 0-9/100\r\n";
    if (has(request, "GET /part ")) return testing::answer("206 Partial Content", part, fields);
    return has(request, "Accept-Encoding: gzip") ? ok(coded, "Content-Encoding: gzip\r\n") : ok("plain");
  });
  SECTION("the user's Accept-Encoding has precedence") {
    HTTPRequest request(fixture.server.url());
    request.headers.add("accept-encoding", "identity");
    CHECK(fixture.fetch(request).body() == "plain");
    const std::string& sent = fixture.server.requests.back();
    CHECK(has(sent, "\r\naccept-encoding: identity\r\n"));
    CHECK_FALSE(has(sent, "Accept-Encoding"));
  }
  SECTION("a coding that the user asks for is decoded") {
    HTTPRequest request(fixture.server.url());
    request.headers.add("Accept-Encoding", "gzip;q=0.5");
    CHECK(fixture.fetch(request).body() == "the whole text");
    CHECK(has(fixture.server.requests.back(), "\r\nAccept-Encoding: gzip;q=0.5\r\n"));
  }
  SECTION("a part is neither asked for with a coding, nor decoded") {
    HTTPRequest request(fixture.server.url("/part"));
    request.headers.add("Range", "bytes=0-9");
    const HTTPResponse response = fixture.fetch(request);
    CHECK(response.status() == 206);
    CHECK(response.body() == part);
    CHECK(response.headers().get("Content-Encoding") == "gzip");
    CHECK_FALSE(has(fixture.server.requests.back(), "Accept-Encoding"));
    std::string streamed;
    request.streaming_callback = [&streamed](std::string_view piece) { streamed += piece; };
    fixture.fetch(request);
    CHECK(streamed == part);
    // The next response on the connection is decoded again.
    CHECK(fixture.fetch(fixture.server.url()).body() == "the whole text");
  }
}

TEMPLATE_TEST_CASE("a proxy or a mapped host that is a number but not an address is refused",
                   "[client_options]", HTTP_CLIENTS) {
  Options options;
  options.hostname_mapping["mapped.test"] = "0177.0.0.1";
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); }, options);
  const auto refusal = [&fixture](HTTPRequest request) -> std::string {
    try {
      fixture.fetch(std::move(request));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "none";
  };
  for (const char* const host : {"0177.0.0.1", "127.1", "2130706433", "me:pw@0x7f.1"}) {
    HTTPRequest request("http://www.example.test/");
    ProxyOptions proxy;
    proxy.host = host;
    proxy.port = fixture.server.port();
    request.proxy = proxy;
    CHECK(refusal(request).starts_with("The host of the proxy is a number but not an IPv4 address: "));
    CHECK_FALSE(has(refusal(request), "pw"));
  }
  const testing::EnvironmentVariable no_lower("no_proxy");
  const testing::EnvironmentVariable no_upper("NO_PROXY");
  std::vector<const char*> proxies = {"http://0177.0.0.1:9",      "127.1:9",
                                      "http://2130706433:9/path", "http://me:pw@0x7f.1:9/",
                                      "me:pw@0177.0.0.1:9",       "http://0177.0.0.1"};
  std::string_view reason = "a host that ends in a number and is not an IPv4 address";
  if constexpr (!std::is_same_v<TestType, SimpleAsyncHTTPClient>) {
    reason = "The host of the proxy is a number but not an IPv4 address: ";
    // SimpleAsyncHTTPClient refuses these for another reason.
    for (const char* const proxy : {"http:/0177.0.0.1:9", "http://0177%2e0.0.1:9", "socks5h://127.1:9"})
      proxies.push_back(proxy);
  }
  for (const char* const proxy : proxies) {
    CAPTURE(proxy);
    const testing::EnvironmentVariable variable("http_proxy", proxy);
    HTTPRequest request("http://www.example.test/");
    request.proxy_from_environment = true;
    CHECK(has(refusal(request), reason));
    CHECK_FALSE(has(refusal(request), "pw"));
  }
  const HTTPRequest mapped(fmt::format("http://mapped.test:{}/", fixture.server.port()));
  CHECK_FALSE(refusal(mapped) == "none");
  CHECK(fixture.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("no_proxy has the same rules for both clients", "[client_options]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("direct"); });
  AnswerServer proxy(fixture.loop, [](const std::string&) { return ok("proxied"); });
  const testing::EnvironmentVariable http_proxy("http_proxy", proxy.url().c_str());
  const testing::EnvironmentVariable no_upper("NO_PROXY");
  const auto fetched = [&](const char* list) {
    const testing::EnvironmentVariable no_proxy("no_proxy", list);
    HTTPRequest request(fixture.server.url());
    request.proxy_from_environment = true;
    return fixture.fetch(request).body();
  };
  CHECK(fetched("") == "proxied");
  CHECK(fetched("127.0.0.0/8") == "direct");
  CHECK(fetched("10.0.0.0/8, 127.0.0.1") == "direct");
  CHECK(fetched("0.1") == "proxied");
  CHECK(fetched("*") == "direct");
}

TEST_CASE("no_proxy has domains, subdomains, ports, addresses, networks and *", "[client_options]") {
  CHECK(is_excepted_from_proxy("*.example.test", "www.example.test", 80));
  CHECK(is_excepted_from_proxy("*.example.test", "a.b.Example.test.", 80));
  CHECK_FALSE(is_excepted_from_proxy("*.example.test", "example.test", 80));
  CHECK_FALSE(is_excepted_from_proxy("*.example.test", "badexample.test", 80));
  CHECK(is_excepted_from_proxy("*.example.test:81", "www.example.test", 81));
  CHECK_FALSE(is_excepted_from_proxy("*.", "www.example.test", 80));
  CHECK(is_excepted_from_proxy("10.0.0.0/8", "10.1.2.3", 80));
  CHECK_FALSE(is_excepted_from_proxy("10.0.0.0/8", "11.1.2.3", 80));
  CHECK_FALSE(is_excepted_from_proxy("10.0.0.0/8", "10.example.test", 80));
  CHECK_FALSE(is_excepted_from_proxy("10.0.0.0/33", "10.1.2.3", 80));
  CHECK(is_excepted_from_proxy("fc00::/7,x", "fd00::1", 80));
  CHECK(is_excepted_from_proxy("[0:0:0:0:0:0:0:1]", "::1", 80));
  CHECK(is_excepted_from_proxy("[0:0:0:0:0:0:0:1]:80", "::1", 80));
  CHECK(is_excepted_from_proxy("0:0::0001", "::1", 80));
  CHECK(is_excepted_from_proxy("127.0.0.1", "::ffff:127.0.0.1", 80));
  // The end of an address is not a domain, and a number with a leading zero is not a part of an address.
  CHECK_FALSE(is_excepted_from_proxy("0.0.1", "127.0.0.1", 80));
  CHECK_FALSE(is_excepted_from_proxy("010.0.0.1", "8.0.0.1", 80));
  CHECK_FALSE(is_excepted_from_proxy("[::1]x", "::1", 80));
  // Brackets are for IPv6 addresses.
  CHECK_FALSE(is_excepted_from_proxy("[127.0.0.1]", "127.0.0.1", 80));
  CHECK_FALSE(is_excepted_from_proxy("[example.test]:80", "example.test", 80));
  // A colon without a port.
  for (const std::uint16_t port : {80, 81}) {
    CHECK_FALSE(is_excepted_from_proxy("example.test:", "example.test", port));
    CHECK_FALSE(is_excepted_from_proxy(".example.test:", "www.example.test", port));
    CHECK_FALSE(is_excepted_from_proxy("127.0.0.1:", "127.0.0.1", port));
    CHECK_FALSE(is_excepted_from_proxy("[::1]:", "::1", port));
    CHECK_FALSE(is_excepted_from_proxy("*:", "example.test", port));
  }
  CHECK(is_excepted_from_proxy("example.test", "example.test", 80));
  CHECK(is_excepted_from_proxy("a.test, .example.test", "www.Example.test", 80));
  CHECK(is_excepted_from_proxy("example.test:8080", "example.test", 8080));
  CHECK(is_excepted_from_proxy("example.test.", "www.example.test", 80));
  CHECK(is_excepted_from_proxy("example.test", "example.test.", 80));
  CHECK_FALSE(is_excepted_from_proxy(".", "example.test.", 80));
  CHECK_FALSE(is_excepted_from_proxy("example.test:8080", "example.test", 80));
  CHECK_FALSE(is_excepted_from_proxy("example.test", "badexample.test", 80));
  CHECK_FALSE(is_excepted_from_proxy("www.example.test", "example.test", 80));
  CHECK(is_excepted_from_proxy("*", "any", 1));
  CHECK(is_excepted_from_proxy("127.0.0.1", "127.0.0.1", 80));
  CHECK(is_excepted_from_proxy("::1", "::1", 80));
  CHECK(is_excepted_from_proxy("[::1]:80", "::1", 80));
  CHECK_FALSE(is_excepted_from_proxy("[::1]:81", "::1", 80));
  CHECK_FALSE(is_excepted_from_proxy("", "any", 80));
  CHECK_FALSE(is_excepted_from_proxy(", ,,", "any", 80));
  CHECK_FALSE(is_excepted_from_proxy("[", "any", 80));
}

TEST_CASE("the environment names proxies, and HTTP_PROXY is ignored", "[client_options]") {
  std::map<std::string, std::string> variables;
  const auto get = [&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  const URL plain("http://example.test/");
  const URL secure("https://example.test/");
  CHECK_FALSE(proxy_of_environment(plain, get));
  variables["HTTP_PROXY"] = "http://evil.test:1";
  CHECK_FALSE(proxy_of_environment(plain, get));
  variables["http_proxy"] = "proxy.test:3128";
  variables["HTTPS_PROXY"] = "http://u:p%40@secure.test:3129/";
  CHECK(proxy_of_environment(plain, get)->host == "proxy.test");
  CHECK(proxy_of_environment(plain, get)->port == 3128);
  CHECK(proxy_of_environment(secure, get)->host == "secure.test");
  CHECK(proxy_of_environment(secure, get)->password == "p@");
  variables["NO_PROXY"] = "test";
  CHECK_FALSE(proxy_of_environment(plain, get));
  variables.clear();
  variables["all_proxy"] = "socks5://x.test:1";
  CHECK_THROWS_AS(proxy_of_environment(plain, get), std::invalid_argument);
  variables["all_proxy"] = "https://x.test:1";
  CHECK_THROWS_AS(proxy_of_environment(plain, get), std::invalid_argument);
}

// ---- Other routes.

TEMPLATE_TEST_CASE("hostname_mapping changes the address of a host, or of one port of it (SHC-20)",
                   "[client_options]", HTTP_CLIENTS) {
  testing::TestLoop loop;
  AnswerServer server(loop, [](const std::string&) { return ok("x"); });
  const std::string port = std::to_string(server.port());
  Options options;
  options.hostname_mapping["all.example.test"] = "127.0.0.1";
  options.hostname_mapping["One.Example.test:" + port] = "127.0.0.1";
  options.hostname_mapping["one.example.test"] = "127.0.0.99";
  options.hostname_mapping["[2001:db8::1]:" + port] = "127.0.0.1";
  TestType client(options, loop);
  for (const char* host : {"all.example.test", "one.example.test", "[2001:db8::1]"}) {
    CAPTURE(host);
    const HTTPResponse response = loop.run(client.fetch(fmt::format("http://{}:{}/", host, port)));
    CHECK(response.body() == "x");
    CHECK(has(server.requests.back(), fmt::format("\r\nHost: {}:{}\r\n", host, port)));
  }
  Options other;
  other.hostname_mapping["one.example.test:1"] = "127.0.0.1";
  TestType elsewhere(other, loop);
  CHECK_THROWS_AS(loop.run(elsewhere.fetch("http://one.example.test:" + port + "/")), HTTPClientError);
}

TEMPLATE_TEST_CASE("a timeout of zero or less passes at once", "[client_options]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    Event never;
    co_await never.wait();
  });
  HTTPRequest request(fixture.server.url());
  for (const TimeSpan over : {TimeSpan(0s), TimeSpan(-1s), TimeSpan(std::chrono::hours::min())}) {
    request.request_timeout = over;
    request.connect_timeout = std::nullopt;
    CHECK_THROWS_AS(fixture.fetch(request), HTTPTimeoutError);
    // libcurl's shortest timeout is 1 ms, in which it may have connected.
    if constexpr (std::is_same_v<TestType, SimpleAsyncHTTPClient>) {
      request.connect_timeout = over;
      request.request_timeout = std::nullopt;
      CHECK_THROWS_AS(fixture.fetch(request), HTTPTimeoutError);
    }
  }
}

TEMPLATE_TEST_CASE("a timeout too long for the clock never passes", "[client_options]", HTTP_CLIENTS) {
  Options options;
  options.idle_timeout = std::chrono::hours::max();
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); }, options);
  HTTPRequest request(fixture.server.url());
  for (const TimeSpan endless : {TimeSpan(std::chrono::hours::max()), TimeSpan(std::chrono::years(200))}) {
    request.request_timeout = request.connect_timeout = endless;
    CHECK(fixture.fetch(request).body() == "x");
  }
}

TEMPLATE_TEST_CASE("with an idle_timeout of zero or less no connection is kept", "[client_options]",
                   HTTP_CLIENTS) {
  for (const TimeSpan over : {TimeSpan(0s), TimeSpan(std::chrono::hours::min())}) {
    Options options;
    options.idle_timeout = over;
    ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); }, options);
    for (int i = 0; i < 2; ++i) CHECK(fixture.fetch(fixture.server.url()).body() == "x");
    CHECK(fixture.server.accepted_connections == 2);
  }
}

TEMPLATE_TEST_CASE("max_clients_per_host is at least one", "[client_options]", HTTP_CLIENTS) {
  Options options;
  options.max_clients_per_host = 0;
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); }, options);
  CHECK(fixture.fetch(fixture.server.url()).body() == "x");
}

TEMPLATE_TEST_CASE("a header may be empty", "[client_options]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); });
  HTTPRequest request(fixture.server.url());
  request.headers.add("X-Empty", "");
  fixture.fetch(request);
  const std::string& sent = fixture.server.requests.at(0);
  CHECK((has(sent, "\r\nX-Empty:\r\n") || has(sent, "\r\nX-Empty: \r\n")));
}

TEMPLATE_TEST_CASE("times are of the last request, and std::nullopt for a part that did not take place",
                   "[client_options]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string& request) {
    return has(request, " /from ") ? answer("302 Found", "", "Location: /to\r\n") : ok("x");
  });
  const HTTPResponse response = fixture.fetch(fixture.server.url("/from"));
  CHECK(fixture.server.accepted_connections == 1);
  CHECK(response.time_info().connect.value_or(0s) == 0s);
  CHECK(response.time_info().tls.value_or(0s) == 0s);
  REQUIRE(response.time_info().first_byte);
  CHECK(*response.time_info().first_byte > 0s);
  CHECK(response.time_info().redirect.count() > 0);
}

TEMPLATE_TEST_CASE("with unix_socket the client connects to the socket instead of the host",
                   "[client_options]", HTTP_CLIENTS) {
  const testing::TemporaryFolder folder;
  ClientFixture<TestType> fixture([](const std::string&) { return ok("by path"); });
  fixture.server.listen_unix(folder / "socket");
  HTTPRequest request("http://www.example.test/x");
  request.unix_socket = folder / "socket";
  CHECK(fixture.fetch(request).body() == "by path");
  CHECK(fixture.fetch(request).body() == "by path");
  CHECK(fixture.server.accepted_connections == 1);
  CHECK(has(fixture.server.requests.at(0), "\r\nHost: www.example.test\r\n"));
  request.unix_socket = folder / "nobody";
  CHECK_THROWS_AS(fixture.fetch(request), HTTPClientError);
}

TEMPLATE_TEST_CASE("network_interface is the local address of the connection (HCL-23)", "[client_options]",
                   HTTP_CLIENTS) {
  testing::HTTPFixture fixture(
      [](Exchange& exchange, Task<>&) { exchange.finish(exchange.request().remote_ip()); });
  TestType client(AsyncHTTPClient::Options(), fixture.loop);
  HTTPRequest request(fmt::format("http://127.0.0.1:{}/", fixture.server.port()));
  request.network_interface = "127.0.0.7";
  CHECK(fixture.loop.run(client.fetch(request)).body() == "127.0.0.7");
}

// The sockets of this process that use only this network interface.
int sockets_of_device(const std::string& name) {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    char device[IFNAMSIZ] = {};
    socklen_t size = sizeof device;
    if (::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size) == 0 && device == name) ++count;
  }
  return count;
}

TEMPLATE_TEST_CASE("network_interface may be the name of a network interface (HCL-23)", "[client_options]",
                   HTTP_CLIENTS) {
  const std::string device = testing::loopback_interface();
  int bound = 0;
  testing::HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    bound = sockets_of_device(device);
    exchange.finish(exchange.request().remote_ip());
  });
  const OwnedFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool may_bind = bind_to_device(probe.get(), device);
  TestType client(AsyncHTTPClient::Options(), fixture.loop);
  HTTPRequest request(fmt::format("http://127.0.0.1:{}/", fixture.server.port()));
  request.network_interface = device;
  CHECK(fixture.loop.run(client.fetch(request)).body() == "127.0.0.1");
  // The probe's socket, and the client's.
  if (may_bind) CHECK(bound == 2);
  // The interface is a part of the key of a kept connection.
  request.network_interface = "127.0.0.7";
  CHECK(fixture.loop.run(client.fetch(request)).body() == "127.0.0.7");
}

TEMPLATE_TEST_CASE("with allow_ipv6 = false a client never connects over IPv6 (HCL-32)", "[client_options]",
                   HTTP_CLIENTS) {
  if (!testing::has_ipv6()) return;
  testing::HTTPFixture fixture(
      [](Exchange& exchange, Task<>&) { exchange.finish(exchange.request().remote_ip()); });
  const std::uint16_t v4 = fixture.server.port();
  ListenOptions over_v6;
  over_v6.address = "::1";
  std::vector<OwnedFd> sockets = bind_sockets(0, over_v6);
  const std::uint16_t v6 = Address::local_of(sockets[0].get()).port();
  fixture.server.add_sockets(std::move(sockets));
  TestType client(AsyncHTTPClient::Options(), fixture.loop);
  HTTPRequest request(fmt::format("http://[::1]:{}/", v6));
  CHECK(fixture.loop.run(client.fetch(request)).body() == "::1");
  const int served = fixture.delegate.requests;
  request.allow_ipv6 = false;
  try {
    fixture.loop.run(client.fetch(request));
    FAIL("connected over IPv6");
  } catch (const HTTPClientError& error) {
    CHECK(error.status() == 599);
  }
  CHECK(fixture.delegate.requests == served);
  request.url = fmt::format("http://127.0.0.1:{}/", v4);
  CHECK(fixture.loop.run(client.fetch(request)).body() == "127.0.0.1");
}

TEST_CASE("with allow_ipv6 = false the resolver is asked for IPv4 addresses only (HCL-32)",
          "[client_options]") {
  testing::HTTPFixture fixture;
  testing::FakeResolver resolver;
  AsyncHTTPClient::Options options;
  options.resolver = &resolver;
  SimpleAsyncHTTPClient client(options, fixture.loop);
  HTTPRequest request(fmt::format("http://server.test:{}/", fixture.server.port()));
  for (const bool allow : {true, false}) {
    request.allow_ipv6 = allow;
    CHECK(fixture.loop.run(testing::throws<HTTPClientError>(client.fetch(request))));
    CHECK(resolver.asked.back().ends_with("/" + std::to_string(allow ? AF_UNSPEC : AF_INET)));
  }
}

TEST_CASE("the blocking client fetches on a loop of its own, and refuses to block a running loop (HCL-07)",
          "[client_options][threads]") {
  testing::HTTPFixture fixture;
  const std::string url = fmt::format("http://127.0.0.1:{}/x", fixture.server.port());
  std::string body;
  std::string closed;
  std::thread thread([&] {
    HTTPClient client;
    body = client.fetch(url).body() + client.fetch(url).body();
    client.close();
    try {
      client.fetch(url);
    } catch (const HTTPClientClosedError& error) {
      closed = error.message();
    }
    fixture.loop.add_callback([&fixture] { fixture.loop.stop(); });
  });
  fixture.loop.wait();
  thread.join();
  CHECK(body == "GET /x 0\nGET /x 0\n");
  CHECK(closed == "fetch() called on closed AsyncHTTPClient");
  const auto inside = [](std::string url) -> Task<bool> {
    HTTPClient client;
    try {
      client.fetch(url);
    } catch (const std::logic_error&) {
      co_return true;
    }
    co_return false;
  };
  CHECK(fixture.loop.run_sync(inside(url)));
}

#ifdef SQUALL_HAS_CURL
TEST_CASE(
    "options that libcurl does not have are refused, and prepare_curl_callback can set others (CUR-06, "
    "HCL-26)",
    "[client_options]") {
  ClientFixture<CurlAsyncHTTPClient> fixture([](const std::string& request) {
    return has(request, "Authorization: Digest")
               ? ok("in")
               : answer("401 Who", "out", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
  });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body_producer = [](BodyWriter&) -> Task<> { co_return; };
  CHECK_THROWS_AS(fixture.fetch(request), std::invalid_argument);
  request = HTTPRequest(fixture.server.url());
  request.streaming_callback = [](std::string_view) -> Task<> { co_return; };
  CHECK_THROWS_AS(fixture.fetch(request), std::invalid_argument);
  request = HTTPRequest(fixture.server.url());
  request.auth_username = "me";
  request.auth_password = "pw";
  request.auth_mode = AuthMode::digest;
  CHECK(fixture.fetch(request).body() == "in");
  SimpleAsyncHTTPClient simple(AsyncHTTPClient::Options(), fixture.loop);
  CHECK_THROWS_AS(fixture.loop.run(simple.fetch(request)), std::invalid_argument);
  // The options of a request do not affect the next request (CUR-02, SEC-71).
  bool prepared = false;
  HTTPRequest plain(fixture.server.url());
  plain.prepare_curl_callback = [&prepared](void* easy) { prepared = easy != nullptr; };
  CHECK(fixture.fetch(plain, RaiseError::no).status() == 401);
  CHECK(prepared);
  CHECK_FALSE(has(fixture.server.requests.back(), "Authorization"));
}
#endif

}  // namespace
}  // namespace squall::http::client_options_test
