#include <openssl/err.h>
#include <openssl/ssl.h>
#include <squall/iostream/tcp/tcp_client.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <squall/iostream/tls/tls_stream.h>
#include <squall/testing/bind_unused_port.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/socket_pair.h"
#include "support/tls_pair.h"

// TLS with peers that misbehave.
namespace squall::tls_peers_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::RawPeer;
using testing::secure;
using testing::tcp_pair;
using testing::TestLoop;
using testing::throws;
using testing::TLSSides;

// Passes the bytes of two streams to each other, in the way that the test sets.
class Relay {
 public:
  enum class Cut { close, reset };

  explicit Relay(TestLoop& loop) : Relay(loop, tcp_pair(), tcp_pair()) {}

  // Passes bytes on in pieces of at most `most` bytes.
  void segment(std::mt19937 random, std::size_t most) {
    random_ = random;
    most_ = most;
  }
  // Ends both connections after `bytes` bytes of the client, or of the server.
  void cut_after(std::size_t bytes, bool of_client, Cut how) {
    (of_client ? to_server_ : to_client_).limit = bytes;
    how_ = how;
  }
  void step() {
    pass(client_peer_, server_peer_, to_server_);
    pass(server_peer_, client_peer_, to_client_);
    if (to_server_.limit > 0 && to_client_.limit > 0) return;
    for (RawPeer* peer : {&client_peer_, &server_peer_})
      if (peer->fd() >= 0) how_ == Cut::reset ? peer->reset() : peer->close();
  }
  std::size_t passed(bool of_client) const { return (of_client ? to_server_ : to_client_).passed; }

  IOStream client;
  IOStream server;

 private:
  struct Direction {
    std::string waiting;
    std::size_t limit = std::string::npos;
    std::size_t passed = 0;
    bool ended = false;
  };

  Relay(TestLoop& loop, std::pair<OwnedFd, OwnedFd> a, std::pair<OwnedFd, OwnedFd> b)
      : client(std::move(a.first), loop),
        server(std::move(b.first), loop),
        client_peer_(std::move(a.second)),
        server_peer_(std::move(b.second)) {}

  void pass(RawPeer& from, RawPeer& to, Direction& direction) {
    if (from.fd() < 0 || to.fd() < 0) return;
    if (direction.waiting.empty() && !direction.ended) direction.ended = from.drain(direction.waiting);
    std::size_t count = std::min(direction.waiting.size(), direction.limit);
    if (most_ > 0) count = std::min<std::size_t>(count, 1 + random_() % most_);
    const std::size_t sent = to.send_some(std::string_view(direction.waiting).substr(0, count));
    direction.waiting.erase(0, sent);
    direction.passed += sent;
    if (direction.limit != std::string::npos) direction.limit -= sent;
    if (direction.ended && direction.waiting.empty()) to.half_close();
  }

  RawPeer client_peer_;
  RawPeer server_peer_;
  Direction to_server_;
  Direction to_client_;
  Cut how_ = Cut::close;
  std::mt19937 random_{1};
  std::size_t most_ = 0;
};

// Runs turns of the loop, with the relay's steps between them.
template <class Condition>
bool run_until(TestLoop& loop, Relay& relay, Condition condition) {
  const auto end = IOLoop::Clock::now() + 20s;
  while (!condition()) {
    if (IOLoop::Clock::now() > end) return false;
    loop.run_turn();
    relay.step();
  }
  return true;
}

// The result of one side.
struct Outcome {
  bool secured = false;
  bool ended = false;
  std::error_code error;
  std::string got;
};

Task<> talk(IOStream& stream, TLSContext context, std::string say, Outcome& outcome) {
  try {
    co_await stream.start_tls(context, "localhost");
    outcome.secured = true;
    co_await stream.write(say);
    for (;;) {
      const std::string_view piece = co_await stream.read_some();
      if (piece.empty()) break;
      outcome.got += piece;
    }
  } catch (const TLSError& error) {
    outcome.error = error.code();
  } catch (const StreamClosedError& error) {
    outcome.error = error.code();
  }
  outcome.ended = true;
}

TEST_CASE(
    "a peer that goes away at any step of the handshake is an error without a log line and without leaks "
    "(IOS-74)",
    "[tls]") {
  TestLoop loop;
  TLSSides sides;
  const bool is_old = GENERATE(false, true);
  if (is_old) sides.client_options.max_version = TLSVersion::tls1_2;
  sides.client_options.session_cache = 0;
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  const auto attempt = [&](std::size_t bytes, bool of_client, Relay::Cut how) {
    Relay relay(loop);
    Outcome one;
    Outcome other;
    if (bytes != std::string::npos) relay.cut_after(bytes, of_client, how);
    TaskGroup group(loop);
    group.add(talk(relay.client, client, "hello from the client", one));
    group.add(talk(relay.server, server, "hello from the server", other));
    REQUIRE(run_until(loop, relay, [&] {
      if (one.got.size() == 21 && other.got.size() == 21) return true;
      return one.ended && other.ended;
    }));
    if (bytes == std::string::npos) {
      CHECK(one.got == "hello from the server");
      CHECK(other.got == "hello from the client");
    } else {
      INFO("cut after " << bytes << " bytes of the " << (of_client ? "client" : "server"));
      // Both sides get an error: the handshake fails, or the connection ends without close_notify.
      CHECK(one.error);
      CHECK(other.error);
      CHECK((other.got.empty() || of_client == false || bytes > 200));
    }
    loop.run_turn();
    return relay.passed(of_client);
  };
  const bool of_client = GENERATE(true, false);
  const auto how = GENERATE(Relay::Cut::close, Relay::Cut::reset);
  const std::size_t all = attempt(std::string::npos, of_client, how);
  REQUIRE(all > 300);
  // The last bytes belong to the data, which the other side may have received already.
  for (std::size_t bytes = 0; bytes + 60 < all; bytes += bytes < 16 ? 1 : 11) attempt(bytes, of_client, how);
  CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("bytes may arrive in pieces of any size", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  std::mt19937 random(11);
  for (const std::size_t most : {std::size_t(1), std::size_t(7), std::size_t(3000), std::size_t(70'000)}) {
    Relay relay(loop);
    relay.segment(random, most);
    std::string there(most < 10 ? 3000 : 2'000'000, '\0');
    for (char& c : there) c = static_cast<char>(random());
    Outcome one;
    Outcome other;
    TaskGroup group(loop);
    group.add(talk(relay.client, sides.client(), there, one));
    group.add(talk(relay.server, sides.server(), there, other));
    REQUIRE(run_until(loop, relay,
                      [&] { return one.got.size() == there.size() && other.got.size() == there.size(); }));
    CHECK((one.got == there));
    CHECK((other.got == there));
  }
}

// ---- A server.

class LineServer : public TCPServer {
 public:
  LineServer(TestLoop& loop, const TLSContext& context) : TCPServer(loop) {
    use_tls(context);
    ListenOptions options;
    options.address = "127.0.0.1";
    listen(0, options);
  }
  ~LineServer() override { destroy_all_connections(); }
  int served = 0;

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    const Live live;
    ++served;
    CHECK(stream.tls()->version() == "TLSv1.3");
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n");
      co_await stream.write(line);
    }
  }
};

Task<std::string> ask(IOStream& stream, TLSContext context) {
  co_await stream.start_tls(context, "localhost");
  co_await stream.write("hello\n");
  std::string answer = co_await stream.read_until("\n");
  co_return answer;
}

std::string ask(TestLoop& loop, TCPServer& server, const TLSContext& client) {
  RawPeer raw(server.port());
  IOStream stream(OwnedFd(::dup(raw.fd())), loop);
  return loop.run(ask(stream, client));
}

TEST_CASE("a TLS server serves connections after their handshake, and pending handshakes do not delay it",
          "[tls]") {
  TestLoop loop;
  TLSSides sides;
  LineServer server(loop, sides.server());
  RawPeer silent(server.port());
  CHECK(ask(loop, server, sides.client()) == "hello\n");
  CHECK(server.served == 1);
  loop.run_until([&] { return server.connections() == 1; });  // the silent one
  CHECK_THROWS_AS(server.use_tls(sides.client()), std::invalid_argument);
}

Task<std::string> ask_in_one(std::string host, std::uint16_t port, ConnectOptions options) {
  IOStream stream = co_await TCPClient::connect(host, port, options);
  CHECK(stream.tls()->version() == "TLSv1.3");
  co_await stream.write("hello\n");
  std::string answer = co_await stream.read_until("\n");
  co_return answer;
}

TEST_CASE("a TCPClient connects with TLS in one go, within one deadline (TCL-02, IOS-78)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  LineServer server(loop, sides.server());
  ConnectOptions options;
  options.tls = sides.client();
  SECTION("by name, which is verified") {
    CHECK(loop.run(ask_in_one("localhost", server.port(), options)) == "hello\n");
  }
  SECTION("by address, which is verified") {
    CHECK(loop.run(ask_in_one("127.0.0.1", server.port(), options)) == "hello\n");
  }
  SECTION("by another name than the looked-up name") {
    options.server_hostname = "elsewhere.example";
    CHECK(
        loop.run(message_thrown<TLSError>(ask_in_one("127.0.0.1", server.port(), options)))
            .starts_with("certificate verify failed: hostname mismatch, it is for localhost, 127.0.0.1 and"));
    loop.run_until([&] { return server.connections() == 0; });
    loop.log.expect("bad certificate");
  }
  SECTION("with a deadline") {
    const testing::BoundPort silent = testing::bind_unused_port();
    options.timeout = 20ms;
    CHECK(loop.run(throws<ConnectTimeoutError>(ask_in_one("127.0.0.1", silent.port, options))));
  }
}

TEST_CASE("a server closes clients that do not finish their handshake in time", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.server_options.handshake_timeout = 10ms;
  LineServer server(loop, sides.server());
  RawPeer silent(server.port());
  std::string got;
  loop.run_until([&] { return silent.drain(got); });
  CHECK(got.empty());
  loop.run_until([&] { return server.connections() == 0; });
  CHECK(server.served == 0);
}

TEST_CASE("destroying a server during handshakes leaves no descriptor and no timer", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto server = std::make_unique<LineServer>(loop, sides.server());
  RawPeer silent(server->port());
  loop.run_until([&] { return server->connections() == 1; });
  server.reset();
  std::string got;
  loop.run_until([&] { return silent.drain(got); });
}

TEST_CASE(
    "garbage instead of a hello is logged once, with the peer, and affects no other connection (IOS-74)",
    "[tls]") {
  TestLoop loop;
  TLSSides sides;
  LineServer server(loop, sides.server());
  std::string garbage;
  std::string text;
  SECTION("HTTP") {
    garbage = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    text = "plain HTTP request where TLS is spoken";
  }
  SECTION("a proxy's request") {
    garbage = "CONNECT localhost:443 HTTP/1.1\r\n\r\n";
    text = "plain CONNECT request where TLS is spoken";
  }
  SECTION("anything") {
    garbage = "\x80\x01\x02 what is this, it is no TLS\r\n\r\n";
    text = "";
  }
  SECTION("SSH") {
    garbage = "SSH-2.0-OpenSSH_9.2\r\n";
    text = "wrong version number, or no TLS at all";
  }
  SECTION("half of a malformed hello") {
    garbage.assign("\x16\x03\x01\x00\x20", 5);
    garbage.append(32, '\x7f');
    text = "";
  }
  RawPeer peer(server.port());
  const std::string name = Address::local_of(peer.fd()).to_string();
  peer.send(garbage);
  std::string got;
  loop.run_until([&] { return peer.drain(got); });
  loop.run_until([&] { return server.connections() == 0; });
  const auto line = loop.log.expect(name + ": " + text);
  CHECK(line.message.starts_with("SSL Error on "));
  CHECK(line.logger == "squall.general");
  CHECK(loop.log.empty());
  CHECK(server.served == 0);
  CHECK(ask(loop, server, sides.client()) == "hello\n");
}

TEST_CASE("a port scan is not logged (IOS-74, TSV-08)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  LineServer server(loop, sides.server());
  RawPeer peer(server.port());
  SECTION("and goes") { peer.close(); }
  SECTION("and closes at once") { peer.reset(); }
  SECTION("and sends a few bytes") {
    peer.send("\x16\x03");
    peer.reset();
  }
  CHECK(ask(loop, server, sides.client()) == "hello\n");
  loop.run_until([&] { return server.connections() == 0; });
  CHECK(loop.log.empty());
}

TEST_CASE("an error in OpenSSL's queue is not taken for another connection's", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  LineServer server(loop, sides.server());
  RawPeer raw(server.port());
  IOStream stream(OwnedFd(::dup(raw.fd())), loop);
  const auto poison = [] { ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH); };
  const auto poisoned = [poison](IOStream& stream, TLSContext context) -> Task<std::string> {
    poison();
    co_await stream.start_tls(context, "localhost");
    poison();
    co_await stream.write("hello\n");
    poison();
    std::string answer = co_await stream.read_until("\n");
    poison();
    co_return answer;
  };
  CHECK(loop.run(poisoned(stream, sides.client())) == "hello\n");
  ::ERR_clear_error();
}

// ---- After the handshake.

// A client that uses only OpenSSL.
class RawClient {
 public:
  explicit RawClient(OwnedFd fd) : peer_(std::move(fd)), context_(::SSL_CTX_new(::TLS_client_method())) {
    ssl_ = ::SSL_new(context_);
    ::SSL_set_fd(ssl_, peer_.fd());
  }
  ~RawClient() {
    ::SSL_free(ssl_);
    ::SSL_CTX_free(context_);
    ::ERR_clear_error();
  }
  SSL* ssl() { return ssl_; }
  RawPeer& peer() { return peer_; }
  bool connect(TestLoop& loop) {
    for (int i = 0; i < 1000; ++i) {
      const int result = ::SSL_connect(ssl_);
      if (result == 1) return true;
      if (::SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) return false;
      loop.run_turn();
    }
    return false;
  }

 private:
  RawPeer peer_;
  SSL_CTX* context_;
  SSL* ssl_;
};

TEST_CASE("a changed record closes the connection", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  (void)stream.start_tls(sides.server());
  RawClient client(std::move(pair.second));
  REQUIRE(client.connect(loop));
  REQUIRE(::SSL_write(client.ssl(), "fine", 4) == 4);
  client.peer().send(std::string("\x17\x03\x03\x00\x30", 5) + std::string(48, 'x'));
  const auto some = [](IOStream& stream) -> Task<std::string> { co_return co_await stream.read_some(); };
  CHECK(loop.run(some(stream)) == "fine");
  CHECK(loop.run(testing::message_thrown<StreamClosedError>(some(stream))) ==
        "Stream is closed: decryption failed or bad record mac");
  CHECK(stream.error().category() == tls_category());
  loop.log.expect("decryption failed or bad record mac");
}

TEST_CASE("a peer that causes many answers and does not receive them is closed", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  // Not TCP, whose windows would close and open by TCP's own timers.
  testing::SocketPair pair;
  const int small = 4096;
  ::setsockopt(pair.near.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  IOStream stream(std::move(pair.near), loop);
  (void)stream.start_tls(sides.server());
  RawClient client(std::move(pair.far));
  REQUIRE(client.connect(loop));
  TaskGroup group(loop);
  Outcome outcome;
  const auto read = [](IOStream& stream, Outcome& outcome) -> Task<> {
    try {
      const std::string_view bytes = co_await stream.read_some();
      outcome.got = bytes;
    } catch (const StreamClosedError& error) {
      outcome.error = error.code();
    }
  };
  group.add(read(stream, outcome));
  for (int i = 0; i < 1'000'000 && !stream.closed(); ++i) {
    ::SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    ::SSL_do_handshake(client.ssl());
    if (i % 100 == 0) loop.run_turn();
  }
  CHECK(stream.closed());
  for (int i = 0; i < 3; ++i) loop.run_turn();
  CHECK(outcome.error == std::errc::no_buffer_space);
  loop.log.expect("No buffer space available");
}

TEST_CASE("a client that renegotiates is refused (SEC-74)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.server_options.max_version = TLSVersion::tls1_2;
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  (void)stream.start_tls(sides.server());
  RawClient client(std::move(pair.second));
  REQUIRE(client.connect(loop));
  REQUIRE(::SSL_renegotiate(client.ssl()) == 1);
  ::SSL_do_handshake(client.ssl());
  const auto some = [](IOStream& stream) -> Task<std::string> { co_return co_await stream.read_some(); };
  CHECK(loop.run(throws<TimeoutError>(
      [](Task<std::string> read) -> Task<> { co_await with_timeout(20ms, std::move(read)); }(some(stream)))));
  CHECK(::SSL_do_handshake(client.ssl()) != 1);
  CHECK(::SSL_get_error(client.ssl(), -1) == SSL_ERROR_SSL);
}

}  // namespace
}  // namespace squall::tls_peers_test
