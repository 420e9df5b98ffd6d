// TLS, tunnels, kept connections, uploads and cancellation over both clients.

#include <squall/http.h>
#include <squall/iostream.h>

#include <sys/socket.h>

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"
#include "support/temporary_folder.h"
#include "support/tls_pair.h"

namespace squall::http::client_tls_test {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::AnswerServer;
using testing::ok;
using Options = AsyncHTTPClient::Options;

bool has(const std::string& request, std::string_view text) { return request.find(text) != request.npos; }

// GCC 12 fails to compile designated initialisers as arguments in the templates below.
testing::CertificateWishes named(const char* name) {
  testing::CertificateWishes wishes;
  wishes.common_name = name;
  return wishes;
}

Task<> wait_for_ever() {
  Event never;
  co_await never.wait();
}
Task<> fetch_into(AsyncHTTPClient& client, HTTPRequest request, std::vector<std::string>& bodies) {
  HTTPResponse response = co_await client.fetch(std::move(request), RaiseError::no);
  bodies.push_back(response.take_body());
}

// A client, and a server with TLS whose authority the requests trust.
template <class Client>
struct Scene {
  explicit Scene(
      AnswerServer::Answer answer = [](const std::string&) { return ok("secret"); },
      Options options = Options())
      : server(loop, std::move(answer)), client(std::move(options), loop) {
    server.use_tls(sides.server());
  }
  HTTPRequest request(std::string_view path = "/") const {
    HTTPRequest request(fmt::format("https://localhost:{}{}", server.port(), path));
    request.allow_ipv6 = false;
    request.ca_certs = ca;
    return request;
  }
  HTTPResponse fetch(HTTPRequest request) {
    return loop.run(client.fetch(std::move(request), RaiseError::no));
  }
  // The phase of the fetch's error; "none" without one.
  std::string phase_of(HTTPRequest request) {
    try {
      fetch(std::move(request));
    } catch (const HTTPClientError& error) {
      return std::string(phase_name(error.phase()));
    }
    return "none";
  }

  testing::TestLoop loop;
  testing::TLSSides sides;
  testing::TemporaryFolder folder;
  const std::string ca = folder.file("ca.pem", sides.authority.pem());
  AnswerServer server;
  Client client;
};

// Answers CONNECT, and then copies bytes in both directions.
Task<> tunnel(IOStream& stream, std::uint16_t port, std::vector<std::string>& requests) {
  const std::string request = co_await testing::read_request(stream);
  requests.push_back(request);
  IOStream other = co_await TCPClient::connect("127.0.0.1", port);
  co_await stream.write("HTTP/1.1 200 Connected\r\n\r\n");
  co_await race(pump(stream, other), pump(other, stream));
}

void use_proxy(HTTPRequest& request, const AnswerServer& proxy) {
  ProxyOptions by;
  by.host = "127.0.0.1";
  by.port = proxy.port();
  by.username = "me";
  by.password = "pw";
  request.proxy = by;
}

// ---- Connections.

TEMPLATE_TEST_CASE("consecutive fetches over TLS use one connection, and concurrent ones use several",
                   "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  for (int i = 0; i < 3; ++i) CHECK(scene.fetch(scene.request()).body() == "secret");
  CHECK(scene.server.accepted_connections == 1);
  std::vector<std::string> bodies;
  TaskGroup group(scene.loop);
  for (int i = 0; i < 3; ++i) group.add(fetch_into(scene.client, scene.request(), bodies));
  scene.loop.run_until([&] { return bodies.size() == 3; });
  CHECK(bodies == std::vector<std::string>(3, "secret"));
  CHECK(scene.server.accepted_connections == 3);
  // The server closes its connections, and the next fetch gets a new one.
  scene.server.close_all_connections();
  scene.loop.run_until([&] { return scene.server.connections() == 0; });
  HTTPRequest post = scene.request();
  post.method = "POST";
  post.body = "x";
  CHECK(scene.fetch(post).body() == "secret");
}

TEMPLATE_TEST_CASE("a tunnel carries consecutive requests, and its proxy gets nothing but the host's name",
                   "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  std::vector<std::string> connects;
  AnswerServer proxy(scene.loop, [](const std::string&) { return std::string(); });
  const std::uint16_t port = scene.server.port();
  proxy.set_script([&](IOStream& stream) -> Task<> { co_await tunnel(stream, port, connects); });
  HTTPRequest request = scene.request("/path");
  use_proxy(request, proxy);
  request.headers.add("Authorization", "of the server");
  request.headers.add("Cookie", "of=the server");
  for (int i = 0; i < 3; ++i) CHECK(scene.fetch(request).body() == "secret");
  REQUIRE(connects.size() == 1);
  CHECK(connects[0].starts_with(
      fmt::format("CONNECT localhost:{0} HTTP/1.1\r\nHost: localhost:{0}\r\nProxy-Authorization: Basic "
                  "bWU6cHc=\r\n",
                  port)));
  CHECK_FALSE(has(connects[0], "of the server"));
  CHECK_FALSE(has(connects[0], "Cookie"));
  CHECK_FALSE(has(connects[0], "/path"));
  REQUIRE(scene.server.requests.size() == 3);
  for (const std::string& seen : scene.server.requests) {
    CHECK(seen.starts_with("GET /path HTTP/1.1\r\n"));
    CHECK_FALSE(has(seen, "Proxy-"));
  }
  // A request without the proxy does not use the tunnel.
  request.proxy = std::nullopt;
  CHECK(scene.fetch(request).body() == "secret");
  CHECK(scene.server.accepted_connections == 2);
}

TEMPLATE_TEST_CASE("a proxy that opens no tunnel is an error of the proxy phase, and no request is sent",
                   "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  for (const std::string_view said :
       {"HTTP/1.1 407 Log In\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 502 No\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n",
        ""}) {
    CAPTURE(said);
    AnswerServer proxy(scene.loop, [said](const std::string&) { return std::string(said); });
    HTTPRequest request = scene.request();
    use_proxy(request, proxy);
    CHECK(scene.phase_of(request) == "proxy");
    REQUIRE(proxy.requests.size() == 1);
    CHECK(proxy.requests[0].starts_with("CONNECT "));
  }
  CHECK(scene.server.accepted_connections == 0);
}

// ---- Certificates.

TEMPLATE_TEST_CASE(
    "a server's certificate is verified unless validate_cert is false, for each request (SEC-73)",
    "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  testing::LogCapture log(squall::log::Level::none);
  HTTPRequest untrusted = scene.request();
  untrusted.ca_certs = scene.folder.file("other.pem", testing::TLSSides().authority.pem());
  CHECK(scene.phase_of(untrusted) == "tls");
  untrusted.validate_cert = false;
  CHECK(scene.phase_of(untrusted) == "none");
  untrusted.validate_cert.reset();
  CHECK(scene.phase_of(untrusted) == "tls");
  CHECK(scene.server.requests.size() == 1);
  CHECK(scene.phase_of(scene.request()) == "none");
  // The certificate is for localhost and 127.0.0.1.
  Options options;
  options.hostname_mapping["other.test"] = "127.0.0.1";
  Scene<TestType> mapped([](const std::string&) { return ok("x"); }, options);
  testing::LogCapture mapped_log(squall::log::Level::none);
  HTTPRequest misnamed = mapped.request();
  misnamed.url = fmt::format("https://other.test:{}/", mapped.server.port());
  CHECK(mapped.phase_of(misnamed) == "tls");
  misnamed.validate_cert = false;
  CHECK(mapped.phase_of(misnamed) == "none");
}

TEMPLATE_TEST_CASE("an expired certificate of a server is refused", "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  testing::LogCapture log(squall::log::Level::none);
  TLSServerOptions expired;
  testing::CertificateWishes wishes;
  wishes.begins = -30;
  wishes.ends = -1;
  expired.certificates.push_back(scene.sides.authority.issue(wishes));
  AnswerServer server(scene.loop, [](const std::string&) { return ok("old"); });
  server.use_tls(TLSContext::server(expired));
  HTTPRequest request = scene.request();
  request.url = fmt::format("https://localhost:{}/", server.port());
  CHECK(scene.phase_of(request) == "tls");
  CHECK(server.requests.empty());
}

TEMPLATE_TEST_CASE(
    "a server that asks for a client's certificate gets it, and refuses a client without one (HCL-30)",
    "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  testing::LogCapture log(squall::log::Level::none);
  TLSServerOptions strict = scene.sides.server_options;
  strict.cert_reqs = CertReqs::required;
  strict.ca_pem = scene.sides.authority.pem();
  AnswerServer server(scene.loop, [](const std::string&) { return std::string(); });
  server.use_tls(TLSContext::server(strict));
  std::vector<std::string> names;
  server.set_script([&names](IOStream& stream) -> Task<> {
    for (;;) {
      const std::string request = co_await testing::read_request(stream);
      if (request.empty()) co_return;
      const auto certificate = stream.tls()->peer_certificate();
      names.push_back(certificate ? certificate->subject : std::string());
      co_await stream.write(ok("in"));
    }
  });
  HTTPRequest request = scene.request();
  request.url = fmt::format("https://localhost:{}/", server.port());
  // In TLS 1.3 the client learns of the refusal only with the answer.
  CHECK(scene.phase_of(request) != "none");
  CHECK(names.empty());

  const TLSCertificate own = scene.sides.authority.issue(named("the client"));
  request.client_cert = scene.folder.file("client.pem", own.cert_pem);
  request.client_key = scene.folder.file("key.pem", own.key_pem);
  for (int i = 0; i < 2; ++i) CHECK(scene.fetch(request).body() == "in");
  REQUIRE(names.size() == 2);
  CHECK(has(names[0], "the client"));
  CHECK(server.connections() == 1);
  // A connection with a certificate is not used for a request without it.
  HTTPRequest anonymous = request;
  anonymous.client_cert = std::nullopt;
  anonymous.client_key = std::nullopt;
  CHECK(scene.phase_of(anonymous) != "none");
  CHECK(names.size() == 2);
  // Of another authority, and with another key.
  const TLSCertificate foreign = testing::TLSSides().authority.issue(named("a stranger"));
  HTTPRequest stranger = request;
  stranger.client_cert = scene.folder.file("stranger.pem", foreign.cert_pem);
  stranger.client_key = scene.folder.file("stranger-key.pem", foreign.key_pem);
  CHECK(scene.phase_of(stranger) != "none");
  CHECK(names.size() == 2);
  // One file may have both.
  HTTPRequest both = request;
  both.client_cert = scene.folder.file("both.pem", own.cert_pem + own.key_pem);
  both.client_key = std::nullopt;
  CHECK(scene.fetch(both).body() == "in");
  CHECK(names.size() == 3);
}

TEMPLATE_TEST_CASE("a client's key that does not fit, or is missing, is an error before anything is sent",
                   "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  testing::LogCapture log(squall::log::Level::none);
  const TLSCertificate own = scene.sides.authority.issue(named("the client"));
  const TLSCertificate other = scene.sides.authority.issue(named("another"));
  HTTPRequest request = scene.request();
  request.client_cert = scene.folder.file("client.pem", own.cert_pem);
  for (const std::string& key :
       {scene.folder.file("other-key.pem", other.key_pem), scene.folder / "missing.pem"}) {
    CAPTURE(key);
    request.client_key = key;
    CHECK_THROWS_AS(scene.fetch(request), std::exception);
  }
  CHECK(scene.server.requests.empty());
  CHECK(scene.fetch(scene.request()).body() == "secret");
}

// ---- Bodies.

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  return bytes;
}

TEMPLATE_TEST_CASE("large bodies over TLS, and in a tunnel, are sent and received completely", "[client_tls]",
                   HTTP_CLIENTS) {
  const std::string body = pattern(1'000'000);
  Scene<TestType> scene(
      [&body](const std::string& request) { return request.ends_with(body) ? ok(body) : ok("other bytes"); });
  std::vector<std::string> connects;
  AnswerServer proxy(scene.loop, [](const std::string&) { return std::string(); });
  const std::uint16_t port = scene.server.port();
  proxy.set_script([&](IOStream& stream) -> Task<> { co_await tunnel(stream, port, connects); });
  HTTPRequest request = scene.request();
  request.method = "PUT";
  request.body = body;
  CHECK((scene.fetch(request).body() == body));
  use_proxy(request, proxy);
  std::string streamed;
  request.streaming_callback = [&streamed](std::string_view piece) { streamed += piece; };
  CHECK(scene.fetch(request).status() == 200);
  CHECK((streamed == body));
  CHECK(connects.size() == 1);
}

TEMPLATE_TEST_CASE(
    "over TLS a body that ends with the connection needs the end of TLS, or was cut (RFC 9112, 9.8)",
    "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  testing::LogCapture log(squall::log::Level::none);
  bool is_cut = false;
  scene.server.set_script([&is_cut](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    co_await stream.write("HTTP/1.1 200 OK\r\n\r\nthe first half");
    if (is_cut) ::shutdown(stream.fd(), SHUT_WR);
  });
  CHECK(scene.fetch(scene.request()).body() == "the first half");
  is_cut = true;
  if constexpr (std::is_same_v<TestType, SimpleAsyncHTTPClient>) {
    CHECK_THROWS_AS(scene.fetch(scene.request()), HTTPStreamClosedError);
  } else {
    CHECK(scene.fetch(scene.request()).body() == "the first half");  // libcurl does not tell the two apart
  }
}

// A server that answers an upload without reading it. It does not close, so the answer cannot be lost.
template <class Fixture>
void check_early_answer(Fixture& fixture, HTTPRequest request) {
  Event go;
  fixture.server.set_script([&go](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    co_await stream.write(answer("413 Too Large", "no more", "Connection: close\r\n"));
    co_await go.wait();
  });
  request.method = "PUT";
  request.body = std::string(8'000'000, 'x');  // more than the kernel takes
  const HTTPResponse response = fixture.loop.run(fixture.client.fetch(request, RaiseError::no));
  CHECK(response.status() == 413);
  CHECK(response.body() == "no more");
  go.set();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
}

TEMPLATE_TEST_CASE("an answer that arrives before the body is sent ends the upload and the connection",
                   "[client_tls]", HTTP_CLIENTS) {
  SECTION("plain") {
    testing::ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
    check_early_answer(fixture, HTTPRequest(fixture.server.url()));
  }
  SECTION("over TLS") {
    Scene<TestType> scene;
    check_early_answer(scene, scene.request());
  }
}

// ---- Time and cancellation.

TEMPLATE_TEST_CASE("a TLS handshake, or a tunnel, that does not come is a timeout while connecting",
                   "[client_tls]", HTTP_CLIENTS) {
  Scene<TestType> scene;
  AnswerServer silent(scene.loop, [](const std::string&) { return std::string(); });
  silent.set_script([](IOStream& stream) -> Task<> {
    const std::string hello = co_await stream.read_some();
    co_await wait_for_ever();
  });
  HTTPRequest handshake = scene.request();
  handshake.url = fmt::format("https://localhost:{}/", silent.port());
  HTTPRequest tunnelled = scene.request();
  use_proxy(tunnelled, silent);
  for (HTTPRequest* request : {&handshake, &tunnelled}) {
    request->connect_timeout = 100ms;
    bool thrown = false;
    try {
      scene.fetch(*request);
    } catch (const HTTPTimeoutError& error) {
      thrown = true;
      CHECK(error.message() == "Timeout while connecting");
    }
    CHECK(thrown);
  }
}

TEMPLATE_TEST_CASE("a fetch over TLS may be destroyed in any phase, which closes its connection",
                   "[client_tls]", HTTP_CLIENTS) {
  struct Phase {
    const char* name;
    bool has_tls;
    const char* sent;  // before the server waits
    std::size_t upload;
  };
  for (const Phase& phase :
       {Phase{"handshake", false, "", 0}, Phase{"upload", true, "", 8'000'000}, Phase{"answer", true, "", 0},
        Phase{"head", true, "HTTP/1.1 200 OK\r\nContent-Le", 0},
        Phase{"body", true, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", 0}}) {
    CAPTURE(phase.name);
    Scene<TestType> scene;
    AnswerServer plain(scene.loop, [](const std::string&) { return std::string(); });
    AnswerServer& server = phase.has_tls ? scene.server : plain;
    bool is_there = false;
    server.set_script([&is_there, &phase](IOStream& stream) -> Task<> {
      const std::string first = co_await stream.read_some();
      co_await stream.write(phase.sent);
      is_there = true;
      for (;;) {
        const std::string_view more = co_await stream.read_some(std::nothrow);
        if (more.empty()) co_return;
      }
    });
    HTTPRequest request = scene.request();
    request.url = fmt::format("https://localhost:{}/", server.port());
    if (phase.upload > 0) {
      request.method = "PUT";
      request.body = std::string(phase.upload, 'x');
    }
    {
      TaskGroup group(scene.loop);
      std::vector<std::string> bodies;
      group.add(fetch_into(scene.client, request, bodies));
      scene.loop.run_until([&] { return is_there; });
      group.destroy();
      CHECK(bodies.empty());
    }
    scene.loop.run_until([&] { return server.connections() == 0; });
    scene.server.set_script({});
    CHECK(scene.fetch(scene.request()).body() == "secret");
  }
}

TEMPLATE_TEST_CASE("a fetch in a tunnel may be destroyed before the tunnel is there, and in it",
                   "[client_tls]", HTTP_CLIENTS) {
  for (const bool has_tunnel : {false, true}) {
    CAPTURE(has_tunnel);
    Scene<TestType> scene;
    bool is_there = false;
    scene.server.set_script([&is_there](IOStream& stream) -> Task<> {
      const std::string head = co_await stream.read_until("\r\n\r\n");
      is_there = true;
      const std::string end = co_await stream.read_some(std::nothrow);
    });
    std::vector<std::string> connects;
    AnswerServer proxy(scene.loop, [](const std::string&) { return std::string(); });
    const std::uint16_t port = scene.server.port();
    proxy.set_script([&, has_tunnel](IOStream& stream) -> Task<> {
      if (has_tunnel) {
        co_await tunnel(stream, port, connects);
        co_return;
      }
      const std::string request = co_await testing::read_request(stream);
      is_there = true;
      const std::string end = co_await stream.read_some(std::nothrow);
    });
    HTTPRequest request = scene.request();
    use_proxy(request, proxy);
    {
      TaskGroup group(scene.loop);
      std::vector<std::string> bodies;
      group.add(fetch_into(scene.client, request, bodies));
      scene.loop.run_until([&] { return is_there; });
      group.destroy();
    }
    scene.loop.run_until([&] { return proxy.connections() == 0 && scene.server.connections() == 0; });
    scene.server.set_script({});
    CHECK(scene.fetch(scene.request()).body() == "secret");
  }
}

}  // namespace
}  // namespace squall::http::client_tls_test
