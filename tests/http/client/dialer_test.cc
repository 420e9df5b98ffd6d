#include <squall/http/client/dialer.h>

#include <squall/http.h>
#include <squall/iostream.h>

#include <sys/socket.h>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/environment_variable.h"
#include "support/fake_resolver.h"
#include "support/temporary_file.h"
#include "support/temporary_folder.h"
#include "support/test_loop.h"
#include "support/tls_pair.h"

namespace squall::http::dialer_test {
namespace {

using namespace std::chrono_literals;
using testing::AnswerServer;
using Security = DialTarget::Security;

// Dials, and returns the first bytes of the server.
Task<std::string> dial_and_read(Dialer& dialer) {
  IOStream stream = co_await dialer.dial();
  const std::string greeting = co_await stream.read_some();
  co_return greeting;
}
Task<> dial(Dialer& dialer) { IOStream stream = co_await dialer.dial(); }

Task<> greet(IOStream& stream) {
  co_await stream.write("hello");
  const std::string end = co_await stream.read_some(std::nothrow);
}

// A server that greets, and a resolver that knows it as server.test.
struct Scene {
  Scene() : server(loop, [](const std::string&) { return std::string(); }) {
    server.set_script(greet);
    resolver.answers["server.test"].addresses.push_back(testing::address("127.0.0.1", server.port()));
    options.resolver = &resolver;
  }
  DialTarget target(Security security = Security::plain) const {
    return DialTarget("server.test", server.port(), security);
  }
  void use_proxy(std::uint16_t port) {
    resolver.answers["proxy.test"].addresses.push_back(testing::address("127.0.0.1", port));
    ProxyOptions proxy;
    proxy.host = "proxy.test";
    proxy.port = port;
    options.proxy = proxy;
  }
  std::string greeting(Dialer& dialer) { return loop.run(dial_and_read(dialer)); }

  testing::TestLoop loop;
  testing::FakeResolver resolver;
  AnswerServer server;
  DialOptions options;
};

// The text of an HTTPClientError of the dialer: `phase: what()`.
std::string error_of(Scene& scene, Dialer& dialer) {
  try {
    scene.loop.run(dial(dialer));
  } catch (const HTTPClientError& error) {
    return fmt::format("{}: {}", phase_name(error.phase()), error.what());
  }
  return "none";
}

TEST_CASE("a dialer connects to a host, and reports its phases and their times", "[dialer]") {
  Scene scene;
  Dialer dialer(scene.target(), scene.options);
  std::vector<FetchPhase> phases;
  dialer.set_phase_callback([&phases](FetchPhase phase) { phases.push_back(phase); });
  CHECK(scene.greeting(dialer) == "hello");
  CHECK(phases == std::vector<FetchPhase>{FetchPhase::resolve, FetchPhase::connect});
  CHECK(dialer.phase() == FetchPhase::done);
  CHECK(dialer.times().resolve);
  CHECK(dialer.times().connect);
  CHECK_FALSE(dialer.times().tls);
}

TEST_CASE("a target is host, port and scheme of a URL", "[dialer]") {
  const DialTarget target(URL("https://Example.test/path"));
  CHECK(target.to_string() == "example.test:443");
  CHECK(target.security == Security::tls);
  CHECK(DialTarget(URL("http://[::1]:81/")).to_string() == "[::1]:81");
  CHECK(DialTarget(URL("http://[::1]:81/")).security == Security::plain);
}

TEST_CASE("a dialer connects to a Unix socket", "[dialer]") {
  Scene scene;
  const testing::TemporaryFolder folder;
  scene.server.listen_unix(folder / "socket");
  scene.options.unix_socket = folder / "socket";
  Dialer dialer(scene.target(), scene.options);
  CHECK(scene.greeting(dialer) == "hello");
  CHECK(dialer.peer() == folder / "socket");
  CHECK(scene.resolver.asked.empty());
  scene.options.unix_socket = folder / "nobody";
  Dialer refused(scene.target(), scene.options);
  CHECK(error_of(scene, refused).starts_with("connect: "));
}

TEST_CASE("a dialer does the TLS handshake for the name of the target", "[dialer]") {
  Scene scene;
  const testing::TLSSides sides;
  scene.server.use_tls(sides.server());
  scene.resolver.answers["localhost"] = scene.resolver.answers["server.test"];
  scene.options.tls = sides.client();
  Dialer dialer(DialTarget("localhost", scene.server.port(), Security::tls), scene.options);
  CHECK(scene.greeting(dialer) == "hello");
  CHECK(dialer.times().tls);
}

TEST_CASE("a dialer refuses a server whose certificate is of another name", "[dialer]") {
  Scene scene;
  const testing::TLSSides sides;
  scene.server.use_tls(sides.server());
  scene.options.tls = sides.client();
  Dialer dialer(scene.target(Security::tls), scene.options);
  const std::string error = error_of(scene, dialer);
  const std::string reason =
      "certificate verify failed: hostname mismatch, it is for localhost, 127.0.0.1 and not for server.test";
  CHECK(error == fmt::format("tls: HTTP 599: {} (in the TLS handshake with server.test:{})", reason,
                             scene.server.port()));
  scene.loop.run_until([&] { return scene.server.connections() == 0; });
  // The client throws the error, and only the server logs.
  scene.loop.log.expect("the peer sent the alert \"bad certificate\"");
}

TEST_CASE("a timeout in the TLS handshake names the phase and the peer", "[dialer]") {
  Scene scene;
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string hello = co_await stream.read_some();
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  const testing::TLSSides sides;
  scene.options.tls = sides.client();
  scene.options.timeout = 100ms;
  Dialer dialer(scene.target(Security::tls), scene.options);
  CHECK(error_of(scene, dialer) ==
        fmt::format("tls: HTTP 599: Timeout while connecting (in the TLS handshake with "
                    "server.test:{})",
                    scene.server.port()));
}

TEST_CASE("a dialer without a context reads the system's certificates before it connects", "[dialer]") {
  const testing::TLSSides sides;
  const testing::TLSSides others;
  const testing::TemporaryFolder folder;
  // OpenSSL's store of the system is the file that this variable names.
  testing::EnvironmentVariable variable("SSL_CERT_FILE",
                                        folder.file("ca.pem", sides.authority.pem()).c_str());
  const std::string other = folder.file("other.pem", others.authority.pem());
  Scene scene;
  scene.server.use_tls(sides.server());
  scene.resolver.answers["localhost"] = scene.resolver.answers["server.test"];
  Dialer dialer(DialTarget("localhost", scene.server.port(), Security::tls), scene.options);
  dialer.set_phase_callback([&](FetchPhase phase) {
    if (phase == FetchPhase::connect) variable.set(other.c_str());
  });
  CHECK(scene.greeting(dialer) == "hello");
}

// Answers CONNECT, and greets through the tunnel.
Task<> tunnel(IOStream& stream, std::vector<std::string>& requests) {
  const std::string request = co_await testing::read_request(stream);
  requests.push_back(request);
  co_await stream.write("HTTP/1.1 200 Connected\r\n\r\n");
  // The client of a tunnel speaks first.
  const std::string first = co_await stream.read_some();
  co_await stream.write(first + "?");
}

TEST_CASE("a dialer asks a proxy for a tunnel", "[dialer]") {
  Scene scene;
  std::vector<std::string> requests;
  scene.server.set_script([&requests](IOStream& stream) -> Task<> { co_await tunnel(stream, requests); });
  scene.use_proxy(scene.server.port());
  scene.options.proxy->username = "me";
  scene.options.proxy->password = "pw";
  Dialer dialer(DialTarget("target.test", 81), scene.options);
  const auto talk = [](Dialer& dialer) -> Task<std::string> {
    IOStream stream = co_await dialer.dial();
    co_await stream.write("echo");
    const std::string answer = co_await stream.read_some();
    co_return answer;
  };
  CHECK(scene.loop.run(talk(dialer)) == "echo?");
  CHECK(requests == std::vector<std::string>{"CONNECT target.test:81 HTTP/1.1\r\nHost: target.test:81\r\n"
                                             "Proxy-Authorization: Basic bWU6cHc=\r\n\r\n"});
}

TEST_CASE("with PlainProxy::forward a plain target gets a connection to the proxy itself", "[dialer]") {
  Scene scene;
  scene.use_proxy(scene.server.port());
  scene.options.plain_proxy = DialOptions::PlainProxy::forward;
  Dialer dialer(DialTarget("target.test", 81), scene.options);
  CHECK(scene.greeting(dialer) == "hello");
}

TEST_CASE("an error of a dialer names the phase and the peer", "[dialer]") {
  Scene scene;
  Dialer unknown(DialTarget("unknown.test", 81), scene.options);
  CHECK(error_of(scene, unknown).starts_with("resolve: HTTP 599: "));
  CHECK(unknown.peer() == "unknown.test:81");
  {
    AnswerServer closed(scene.loop, [](const std::string&) { return std::string(); });
    scene.resolver.answers["closed.test"].addresses.push_back(testing::address("127.0.0.1", closed.port()));
  }
  Dialer refused(DialTarget("closed.test", 81), scene.options);
  CHECK(error_of(scene, refused) == "connect: HTTP 599: Connection refused (connecting to closed.test:81)");
  scene.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 407 Log In\r\nContent-Length: 0\r\n\r\n");
  });
  scene.use_proxy(scene.server.port());
  Dialer proxied(scene.target(), scene.options);
  CHECK(error_of(scene, proxied) ==
        fmt::format("proxy: HTTP 599: The proxy refused the tunnel: 407 Log In (asking proxy "
                    "proxy.test:{})",
                    scene.server.port()));
}

TEST_CASE("options that contradict each other are refused", "[dialer]") {
  Scene scene;
  scene.use_proxy(scene.server.port());
  scene.options.unix_socket = "/nowhere";
  Dialer dialer(scene.target(), scene.options);
  CHECK_THROWS_AS(scene.loop.run(dial(dialer)), std::invalid_argument);
}

TEST_CASE("the timeout ends a dialer, in any phase", "[dialer]") {
  Scene scene;
  scene.resolver.open.clear();
  scene.options.timeout = 20ms;
  Dialer dialer(scene.target(), scene.options);
  CHECK(error_of(scene, dialer).starts_with("resolve: HTTP 599: Timeout while connecting"));
  Dialer again(scene.target(), scene.options);
  CHECK_THROWS_AS(scene.loop.run(dial(again)), TimeoutError);
  scene.options.timeout = 1h;
  scene.options.deadline = scene.loop.time() + 20ms;
  Dialer third(scene.target(), scene.options);
  CHECK_THROWS_AS(scene.loop.run(dial(third)), HTTPTimeoutError);
  scene.options.timeout = std::nullopt;
  scene.options.deadline = std::nullopt;
  scene.resolver.open.set();
  Dialer unlimited(scene.target(), scene.options);
  CHECK(scene.greeting(unlimited) == "hello");
}

// ---- Cancellation: dropping the task in a phase leaves no connection.

void drop_in(Scene& scene, Dialer& dialer, FetchPhase phase, const bool& asked) {
  TaskGroup group(scene.loop);
  group.add(dial(dialer));
  scene.loop.run_until([&] { return dialer.phase() == phase && asked; });
  group.destroy();
  scene.loop.run_until([&] { return scene.server.connections() == 0; });
}

TEST_CASE("a dialer may be destroyed while it looks up a name", "[dialer]") {
  Scene scene;
  scene.resolver.open.clear();
  const int before = testing::Live::count;
  Dialer dialer(scene.target(), scene.options);
  drop_in(scene, dialer, FetchPhase::resolve, true);
  CHECK(testing::Live::count == before);
}

TEST_CASE("a dialer may be destroyed while it connects", "[dialer]") {
  Scene scene;
  // A listener whose queue is full accepts no connection.
  ListenOptions listen;
  listen.address = "127.0.0.1";
  listen.backlog = 1;
  const std::vector<OwnedFd> listening = bind_sockets(0, listen);
  const Address full = Address::local_of(listening[0].get());
  std::vector<OwnedFd> filling;
  for (int i = 0; i < 8; ++i) {
    filling.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(filling.back().get(), full.data(), full.size());
  }
  scene.resolver.answers["full.test"].addresses.push_back(full);
  Dialer dialer(DialTarget("full.test", full.port()), scene.options);
  drop_in(scene, dialer, FetchPhase::connect, true);
}

TEST_CASE("a dialer may be destroyed while it waits for a tunnel", "[dialer]") {
  Scene scene;
  bool asked = false;
  scene.server.set_script([&asked](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    asked = request.starts_with("CONNECT ");
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  scene.use_proxy(scene.server.port());
  Dialer dialer(scene.target(), scene.options);
  drop_in(scene, dialer, FetchPhase::proxy, asked);
}

TEST_CASE("a dialer may be destroyed in the TLS handshake, with and without a deadline", "[dialer]") {
  for (const bool has_deadline : {true, false}) {
    CAPTURE(has_deadline);
    Scene scene;
    bool greeted = false;
    scene.server.set_script([&greeted](IOStream& stream) -> Task<> {
      const std::string hello = co_await stream.read_some();
      greeted = !hello.empty();
      const std::string end = co_await stream.read_some(std::nothrow);
    });
    if (!has_deadline) scene.options.timeout = std::nullopt;
    Dialer dialer(scene.target(Security::tls), scene.options);
    drop_in(scene, dialer, FetchPhase::tls, greeted);
  }
}

}  // namespace
}  // namespace squall::http::dialer_test
