// The servers of an Application.

#include <squall/testing/certificates.h>
#include <squall/web.h>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/death.h"
#include "support/stream_pair.h"
#include "support/temporary_folder.h"
#include "support/test_loop.h"
#include "support/tls_pair.h"

namespace squall::web::listen_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::TestLoop;

const ListenOptions kLoopback{.address = "127.0.0.1"};

class HelloHandler : public RequestHandler {
 public:
  void get() { write(fmt::format("hello over {}", request().protocol())); }
};

std::vector<Rule> hello() { return {url<HelloHandler>("/")}; }

Task<std::string> ask(IOStream stream) {
  co_await stream.write("GET / HTTP/1.0\r\n\r\n");
  std::string response = co_await stream.read_until_close();
  co_return response.substr(response.find("\r\n\r\n") + 4);
}
Task<std::string> ask_port(std::uint16_t port, ConnectOptions options = {}) {
  IOStream stream = co_await TCPClient::connect("127.0.0.1", port, std::move(options));
  std::string body = co_await ask(std::move(stream));
  co_return body;
}
Task<std::string> ask_unix(std::string path, ConnectOptions options = {}) {
  IOStream stream = co_await TCPClient::connect_unix(path, std::move(options));
  std::string body = co_await ask(std::move(stream));
  co_return body;
}

bool is_refused(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const OwnedFd owned(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
}

// ---- The forms of listen().

TEST_CASE("an application serves on several ports, also on one port by two servers (WEB-191)", "[listen]") {
  TestLoop loop;
  Application app(hello());
  http::HTTPServer& first = app.listen(0, kLoopback);
  ListenOptions shared = kLoopback;
  shared.reuse_port = true;
  http::HTTPServer& second = app.listen(0, shared);
  http::HTTPServer& third = app.listen(second.port(), shared);
  CHECK(first.port() != second.port());
  CHECK(second.port() == third.port());
  CHECK(app.servers().size() == 3);
  CHECK(loop.run(ask_port(first.port())) == "hello over http");
  CHECK(loop.run(ask_port(second.port())) == "hello over http");
  second.stop();
  CHECK(loop.run(ask_port(third.port())) == "hello over http");
}

TEST_CASE("the options of a server are its own", "[listen]") {
  TestLoop loop;
  Application app(hello());
  http::HTTPServerOptions options;
  options.protocol = http::HTTPServerOptions::Protocol::https;
  http::HTTPServer& behind_proxy = app.listen(0, kLoopback, options);
  http::HTTPServer& plain = app.listen(0, kLoopback);
  CHECK(loop.run(ask_port(behind_proxy.port())) == "hello over https");
  CHECK(loop.run(ask_port(plain.port())) == "hello over http");
}

TEST_CASE("an application serves on a Unix socket, and removes its file", "[listen]") {
  TestLoop loop;
  const testing::TemporaryFolder folder;
  const std::string path = folder / "socket";
  struct stat file{};
  {
    Application app(hello());
    UnixListenOptions options;
    options.mode = 0660;
    http::HTTPServer& server = app.listen_unix(path, options);
    CHECK(server.port() == 0);
    REQUIRE(::stat(path.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0660);
    CHECK(loop.run(ask_unix(path)) == "hello over http");
  }
  CHECK(::stat(path.c_str(), &file) != 0);
}

TEST_CASE("an application serves HTTPS, on a port and on a Unix socket", "[listen]") {
  TestLoop loop;
  const testing::TLSSides sides;
  const testing::TemporaryFolder folder;
  Application app(hello());
  const std::uint16_t port = app.listen_tls(0, sides.server(), kLoopback).port();
  http::HTTPServer& other = app.add_server();
  other.use_tls(sides.server());
  other.listen_unix(folder / "socket");
  ConnectOptions options;
  options.tls = sides.client();
  CHECK(loop.run(ask_port(port, options)) == "hello over https");
  options.server_hostname = "localhost";
  CHECK(loop.run(ask_unix(folder / "socket", options)) == "hello over https");
}

TEST_CASE("an application serves on sockets that listen already", "[listen]") {
  TestLoop loop;
  Application app(hello());
  std::vector<OwnedFd> sockets = bind_sockets(0, kLoopback);
  const std::uint16_t port = Address::local_of(sockets.front().get()).port();
  CHECK(app.add_sockets(std::move(sockets)).port() == port);
  CHECK(loop.run(ask_port(port)) == "hello over http");
}

TEST_CASE("a listen() that fails says why, and leaves no server", "[listen]") {
  TestLoop loop;
  const testing::TLSSides sides;
  const testing::TemporaryFolder folder;
  Application app(hello());
  std::vector<OwnedFd> bound = bind_sockets(0, kLoopback);
  const std::uint16_t port = Address::local_of(bound.front().get()).port();
  const std::string busy = fmt::format("cannot listen on 127.0.0.1:{}: Address already in use", port);
  CHECK_THROWS_WITH(app.listen(port, kLoopback), busy);
  CHECK_THROWS_WITH(app.listen_tls(port, sides.server(), kLoopback), busy);
  CHECK_THROWS_AS(app.listen_tls(0, sides.client(), kLoopback), std::invalid_argument);
  CHECK_THROWS_AS(app.listen_unix(folder.file("file", "not a socket")), std::system_error);
  std::vector<OwnedFd> unbound;
  unbound.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_THROWS_AS(app.add_sockets(std::move(unbound)), std::invalid_argument);
  http::HTTPServerOptions options;
  options.chunk_size = 0;
  CHECK_THROWS_AS(app.listen(0, kLoopback, options), std::invalid_argument);
  CHECK(app.servers().empty());
  CHECK(loop.run(app.drain(1h)) == 0U);
}

// ---- The end of servers.

class WaitingHandler : public RequestHandler {
 public:
  void initialize(Event& event) { event_ = &event; }
  Task<> get() {
    const Live live;
    co_await event_->wait();
    write("answered");
  }

 private:
  Event* event_ = nullptr;
};

struct DrainScene {
  RawPeer begin(int server) {
    RawPeer peer(ports[server]);
    peer.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    const int before = Live::count;
    loop.run_until([before] { return Live::count == before + 1; });
    return peer;
  }
  std::string rest(RawPeer& peer) {
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    return all;
  }

  TestLoop loop;
  Event event;
  Application app{{url<HelloHandler>("/"), url<WaitingHandler>("/wait", std::ref(event))}};
  std::uint16_t ports[2] = {app.listen(0, kLoopback).port(), app.listen(0, kLoopback).port()};
};

Task<> drain(Application& app, TimeSpan limit, std::optional<std::size_t>& cut) {
  const std::size_t count = co_await app.drain(limit);
  cut = count;
}

TEST_CASE("drain() of an application stops all its servers, and lets their requests end", "[listen]") {
  DrainScene scene;
  RawPeer busy[] = {scene.begin(0), scene.begin(1)};
  RawPeer idle(scene.ports[0]);
  std::optional<std::size_t> cut;
  scene.loop.spawn(drain(scene.app, 1h, cut));
  CHECK(scene.rest(idle).empty());
  CHECK(is_refused(scene.ports[0]));
  CHECK(is_refused(scene.ports[1]));
  CHECK_FALSE(cut);
  scene.event.set();
  for (RawPeer& peer : busy) {
    const std::string response = scene.rest(peer);
    CHECK(response.find("Connection: close\r\n") != std::string::npos);
    CHECK(response.ends_with("answered"));
  }
  scene.loop.run_until([&] { return cut.has_value(); });
  CHECK(cut == 0U);
}

TEST_CASE("drain() of an application closes the connections of all servers at its limit, and counts them",
          "[listen]") {
  DrainScene scene;
  RawPeer busy[] = {scene.begin(0), scene.begin(1), scene.begin(1)};
  CHECK(scene.loop.run(scene.app.drain(1ms)) == 3U);
  CHECK(Live::count == 0);
  for (RawPeer& peer : busy) CHECK(scene.rest(peer).empty());
  // The application may serve again.
  CHECK(scene.loop.run(ask_port(scene.app.listen(0, kLoopback).port())) == "hello over http");
}

class DrainHandler : public RequestHandler {
 public:
  void initialize(Application*& app) { app_ = app; }
  Task<> post() {
    co_await app_->drain(1h);
    write("drained");
  }
  void get() { write("here"); }

 private:
  Application* app_ = nullptr;
};

TEST_CASE("a handler that awaits drain() of its application is answered with 500, and all servers continue",
          "[listen]") {
  TestLoop loop;
  Application* pointer = nullptr;
  Application app({url<HelloHandler>("/"), url<DrainHandler>("/drain", std::ref(pointer))});
  pointer = &app;
  const std::uint16_t ports[] = {app.listen(0, kLoopback).port(), app.listen(0, kLoopback).port(),
                                 app.listen(0, kLoopback).port()};
  RawPeer peer(ports[1]);
  peer.send("POST /drain HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  std::string response;
  loop.run_until([&] { return peer.drain(response); });
  CHECK(response.starts_with("HTTP/1.1 500 "));
  loop.log.expect("a connection awaits drain() of its own server");
  loop.log.expect("500 POST /drain");
  for (const std::uint16_t port : ports) CHECK(loop.run(ask_port(port)) == "hello over http");
}

TEST_CASE("an application that is destroyed closes its servers, and cancels their handlers", "[listen]") {
  auto scene = std::make_unique<DrainScene>();
  RawPeer busy[] = {scene->begin(0), scene->begin(1)};
  const std::uint16_t ports[] = {scene->ports[0], scene->ports[1]};
  scene.reset();
  CHECK(Live::count == 0);
  for (RawPeer& peer : busy) {
    pollfd readable{peer.fd(), POLLIN, 0};
    REQUIRE(::poll(&readable, 1, 20'000) == 1);
    std::string all;
    CHECK(peer.drain(all));
    CHECK(all.empty());
  }
  for (const std::uint16_t port : ports) CHECK(is_refused(port));
}

std::unique_ptr<Application> g_doomed;

class LateDeletingHandler : public RequestHandler {
 public:
  Task<> get() {
    co_await moment();
    g_doomed.reset();
  }
};

TEST_CASE("an application that its own handler destroys after a wait ends the program with a message",
          "[listen]") {
  for (const int kind : {0, 1}) {
    const std::string said = testing::last_words_of([kind] {
      TestLoop loop;
      g_doomed = std::make_unique<Application>(std::vector<Rule>{url<LateDeletingHandler>("/")});
      const testing::TemporaryFolder folder;
      if (kind == 1) {
        g_doomed->listen_unix(folder / "socket");
        loop.run(ask_unix(folder / "socket"));
      } else {
        loop.run(ask_port(g_doomed->listen(0, kLoopback).port()));
      }
    });
    CAPTURE(said);
    CHECK(said.find("a task destroys the TaskGroup or the server that runs it") != said.npos);
  }
}

class PoliteHandler : public RequestHandler {
 public:
  void get() {
    write("bye");
    IOLoop::current().add_callback([doomed = std::move(g_doomed)] {});
  }
};

TEST_CASE("a handler may leave the destruction of its application to the loop", "[listen]") {
  TestLoop loop;
  g_doomed = std::make_unique<Application>(std::vector<Rule>{url<PoliteHandler>("/")});
  const std::uint16_t port = g_doomed->listen(0, kLoopback).port();
  CHECK(loop.run(ask_port(port)) == "bye");
  CHECK(is_refused(port));
}

}  // namespace
}  // namespace squall::web::listen_test
