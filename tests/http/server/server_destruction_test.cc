#include <squall/http/server/http_server.h>
#include <squall/http/server/serve.h>
#include <squall/ioloop/coro/with_timeout.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/death.h"
#include "support/http_fixture.h"

namespace squall::http::server_destruction_test {
namespace {

using testing::last_words_of;
using testing::Live;
using testing::RawPeer;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
constexpr std::string_view kMessage =
    "squall: a handler destroys the HTTPServer that serves its request: leave that to a callback of the "
    "loop\n";
constexpr std::string_view kGroupMessage =
    "squall: a task destroys the TaskGroup or the server that runs it: leave that to a callback of the "
    "loop\n";

// Destroys its server in one of its functions.
class Deleting : public ServerDelegate {
 public:
  enum class Where {
    handler,
    second_handler,
    task,
    resumed_task,
    timed_task,
    handler_destructor,
    body_read,
    head_received,
    client_gone,
    connection_closed
  };
  explicit Deleting(Where where) : where_(where) {}

  Body head_received(Exchange&) override {
    if (where_ == Where::head_received) server.reset();
    return where_ == Where::body_read ? Body::streamed : Body::collected;
  }
  void handle_request(Exchange& exchange, Task<>& pending) override {
    switch (where_) {
      case Where::second_handler:
        if (++requests_ < 2) break;
        [[fallthrough]];
      case Where::handler: server.reset(); break;
      case Where::task: pending = destroy(*this); return;
      case Where::resumed_task: pending = wait_and_destroy(*this); return;
      case Where::timed_task: pending = destroy_in_time(*this); return;
      case Where::handler_destructor: pending = wait_for_ever(std::move(server)); return;
      case Where::body_read: pending = read_and_destroy(exchange, *this); return;
      case Where::client_gone: pending = []() -> Task<> { co_await sleep(std::chrono::hours(1)); }(); return;
      default: break;
    }
    exchange.finish("fine");
  }
  void client_gone(Exchange&) noexcept override {
    if (where_ == Where::client_gone) server.reset();
  }
  bool follows_connections() const noexcept override { return where_ == Where::connection_closed; }
  void connection_closed(const ServerConnection&) noexcept override { server.reset(); }

  std::unique_ptr<HTTPServer> server;

 private:
  static Task<> destroy(Deleting& self) {
    self.server.reset();
    co_return;
  }
  static Task<> wait_and_destroy(Deleting& self) {
    co_await sleep(std::chrono::milliseconds(1));
    self.server.reset();
  }
  static Task<> destroy_in_time(Deleting& self) {
    co_await with_timeout(std::chrono::hours(1), wait_and_destroy(self));
  }
  static Task<> wait_for_ever(std::unique_ptr<HTTPServer>) { co_await sleep(std::chrono::hours(1)); }
  static Task<> read_and_destroy(Exchange& exchange, Deleting& self) {
    co_await exchange.read();
    self.server.reset();
  }

  Where where_;
  int requests_ = 0;
};

// The last words of a program whose delegate destroys its server.
std::string last_words(Deleting::Where where, std::string_view request, std::string_view later = "") {
  return last_words_of([&] {
    IOLoop loop;
    Deleting delegate(where);
    HTTPServer::Options options;
    options.half_closed = HTTPServer::Options::HalfClosed::is_gone;
    delegate.server = std::make_unique<HTTPServer>(delegate, options, loop);
    ListenOptions listen;
    listen.address = "127.0.0.1";
    delegate.server->listen(0, listen);
    RawPeer peer(delegate.server->port());
    peer.send(request);
    for (int i = 0; i < 20 && delegate.server; ++i) loop.run_once(std::chrono::milliseconds(10));
    if (later.empty()) {
      peer.half_close();
    } else {
      peer.send(later);
    }
    for (int i = 0; i < 20; ++i) loop.run_once(std::chrono::milliseconds(10));
  });
}

TEST_CASE("a server that its own handler or delegate destroys ends the program with a message",
          "[destruction]") {
  using Where = Deleting::Where;
  CHECK(last_words(Where::handler, kGet) == kMessage);
  CHECK(last_words(Where::second_handler, std::string(kGet) + std::string(kGet)) == kMessage);
  CHECK(last_words(Where::second_handler, kGet, kGet) == kMessage);
  CHECK(last_words(Where::task, kGet) == kMessage);
  CHECK(last_words(Where::head_received, kPost) == kMessage);
  CHECK(last_words(Where::body_read, kPost, "abc") == kMessage);
  CHECK(last_words(Where::client_gone, kGet) == kMessage);
  CHECK(last_words(Where::connection_closed, kGet) == kMessage);
  CHECK(last_words(Where::handler_destructor, kGet) == kMessage);
}

TEST_CASE("a server that its own handler destroys after another wait ends the program with a message",
          "[destruction]") {
  using Where = Deleting::Where;
  CHECK(last_words(Where::resumed_task, kGet) == kGroupMessage);
  CHECK(last_words(Where::timed_task, kGet) == kGroupMessage);
}

TEST_CASE("a function that destroys its own server ends the program with a message", "[destruction]") {
  const std::string said = last_words_of([] {
    IOLoop loop;
    std::unique_ptr<FunctionServer> server;
    ServeOptions options;
    options.listen.address = "127.0.0.1";
    server = serve(
        0,
        [&](ServerRequest&) {
          server.reset();
          return ServerResponse("fine");
        },
        options);
    RawPeer peer(server->port());
    peer.send(kGet);
    for (int i = 0; i < 20 && server; ++i) loop.run_once(std::chrono::milliseconds(10));
  });
  CHECK(said == kMessage);
}

TEST_CASE("a handler may leave the destruction of its server to the loop", "[destruction]") {
  for (const bool waits : {false, true}) {
    CAPTURE(waits);
    testing::TestLoop loop;
    std::unique_ptr<HTTPServer> server;
    const auto destroy_later = [&] { loop.add_callback([doomed = std::move(server)] {}); };
    testing::FunctionDelegate delegate([&](Exchange& exchange, Task<>& pending) {
      if (!waits) {
        destroy_later();
        return exchange.finish("fine");
      }
      pending = [](const auto& destroy, Live) -> Task<> {
        co_await moment();
        destroy();
        co_await sleep(std::chrono::hours(1));
      }(destroy_later, Live());
    });
    server = std::make_unique<HTTPServer>(delegate, loop);
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server->listen(0, listen);
    RawPeer peer(server->port());
    peer.send(kGet);
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    CHECK(all.ends_with("fine") == !waits);
    CHECK(Live::count == 0);
  }
}

}  // namespace
}  // namespace squall::http::server_destruction_test
