#include <squall/iostream/tls/user_tls_transport.h>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/socket_pair.h"
#include "support/tls_pair.h"

// The TLS transport without streams.
namespace squall::tls_transport_test {
namespace {

using detail::TLSConnection;
using detail::UserTLSTransport;
using testing::SocketPair;
using testing::TestLoop;
using testing::TLSSides;
using Step = Transport::Step;

// A client and a server at the two ends of a socket pair that holds little.
struct Ends {
  explicit Ends(const TLSSides& sides = TLSSides())
      : client(sides.client(), "localhost", 1), server(sides.server()) {
    const int small = 8192;
    for (const int fd : {pair.near.get(), pair.far.get()})
      ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  }
  void shake_hands() {
    for (int i = 0; i < 10; ++i) {
      const Step a = client.handshake(pair.near.get());
      const Step b = server.handshake(pair.far.get());
      REQUIRE(a != Step::failed);
      REQUIRE(b != Step::failed);
      if (a == Step::done && b == Step::done) return;
    }
    FAIL("no handshake");
  }
  ssize_t send(std::string_view bytes) { return client.send(pair.near.get(), {&bytes, 1}); }
  ssize_t flush() { return client.send(pair.near.get(), {}); }
  // The received bytes, in pieces of at most `size`.
  std::string receive(std::size_t size = 65'536) {
    std::string all;
    std::vector<char> space(size);
    for (;;) {
      last = server.receive(pair.far.get(), space);
      if (last <= 0) return all;
      all.append(space.data(), static_cast<std::size_t>(last));
    }
  }
  SocketPair pair;
  UserTLSTransport client;
  UserTLSTransport server;
  ssize_t last = 0;
};

std::string numbers(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; text.size() < count; ++i) text += std::to_string(i) + ' ';
  text.resize(count);
  return text;
}

TEST_CASE("a transport has the negotiated facts after its handshake, and not before", "[tls]") {
  Ends ends;
  CHECK(ends.client.version().empty());
  CHECK(ends.client.cipher().empty());
  CHECK(ends.client.alpn().empty());
  CHECK_FALSE(ends.client.session_reused());
  CHECK_FALSE(ends.client.peer_certificate());
  CHECK(ends.client.handshake(ends.pair.near.get()) == Step::pending);
  CHECK_FALSE(ends.client.wants_write());
  ends.shake_hands();
  CHECK(ends.client.version() == "TLSv1.3");
  CHECK(ends.client.handshake_timeout() == std::chrono::seconds(10));
}

TEST_CASE("bytes count only when the kernel has taken all of their ciphertext", "[tls]") {
  Ends ends;
  ends.shake_hands();
  const std::string data = numbers(1'000'000);
  std::string_view rest = data;
  std::string got;
  int refused = 0;
  while (!rest.empty()) {
    const ssize_t sent = ends.send(rest);
    if (sent < 0) {
      REQUIRE(errno == EAGAIN);
      REQUIRE(ends.client.wants_write());
      ++refused;
    } else {
      // All counted bytes can be received.
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    got += ends.receive();
    CHECK(got.size() >= data.size() - rest.size());
  }
  CHECK(refused > 0);
  CHECK((got == data));
  CHECK_FALSE(ends.client.wants_write());
}

TEST_CASE("one send() makes a few rounds, although the kernel would take more", "[tls]") {
  Ends ends;
  ends.shake_hands();
  const int large = 1'000'000;
  ::setsockopt(ends.pair.near.get(), SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  const std::string data = numbers(10'000'000);
  CHECK(ends.send(data) == 4 * 48 * 1024);
  CHECK_FALSE(ends.client.wants_write());
}

TEST_CASE("an unfinished send() is finished without new bytes, and the next send() counts its bytes",
          "[tls]") {
  Ends ends;
  ends.shake_hands();
  const std::string data = numbers(40'000);
  std::string_view rest = data;
  ssize_t sent;
  while ((sent = ends.send(rest)) > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
  REQUIRE(errno == EAGAIN);
  std::string got;
  while (ends.client.wants_write()) {
    got += ends.receive();
    const ssize_t flushed = ends.flush();
    CHECK((flushed == 0 || errno == EAGAIN));
  }
  got += ends.receive();
  CHECK((data.starts_with(got)));
  const std::size_t known = data.size() - rest.size();
  CHECK(got.size() > known);
  // Only the rest is sent.
  sent = ends.send(rest);
  CHECK(sent >= static_cast<ssize_t>(got.size() - known));
  rest.remove_prefix(static_cast<std::size_t>(sent));
  while (!rest.empty()) {
    got += ends.receive();
    sent = ends.send(rest);
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  got += ends.receive();
  CHECK((got == data));
}

TEST_CASE("pieces and receives of any size give the same bytes", "[tls]") {
  std::mt19937 random(17);
  TLSSides sides;
  if (GENERATE(false, true)) sides.client_options.max_version = TLSVersion::tls1_2;
  Ends ends(sides);
  ends.shake_hands();
  const std::string data = numbers(3'000'000);
  std::size_t begin = 0;
  std::string got;
  while (begin < data.size()) {
    std::array<std::string_view, 5> pieces;
    std::size_t at = begin;
    // After EAGAIN the same bytes are passed again, perhaps with more behind them, and in other pieces.
    for (std::string_view& piece : pieces) {
      const std::size_t most = std::array{1, 100, 20'000, 70'000}[random() % 4];
      piece = std::string_view(data).substr(at, random() % (most + 1));
      at += piece.size();
    }
    pieces.back() = std::string_view(data).substr(pieces.back().data() - data.data(), 200'000);
    const ssize_t sent = ends.client.send(ends.pair.near.get(), pieces);
    if (sent > 0) begin += static_cast<std::size_t>(sent);
    if (random() % 3 != 0) got += ends.receive(1 + random() % (random() % 2 == 0 ? 10 : 100'000));
    if (random() % 8 == 0) ends.flush();
  }
  got += ends.receive();
  CHECK((got == data));
}

TEST_CASE("a record may be sent in many fragments, and still counts as a whole", "[tls]") {
  TLSSides sides;
  if (GENERATE(false, true)) sides.client_options.max_version = TLSVersion::tls1_2;
  SECTION("because the client has requested small fragments (RFC 6066, 4)") {
    sides.client_options.customize = [](ssl_ctx_st* context) {
      REQUIRE(::SSL_CTX_set_tlsext_max_fragment_length(context, TLSEXT_max_fragment_length_512) == 1);
    };
  }
  SECTION("because both sides are configured so") {
    const auto shorten = [](ssl_ctx_st* context) {
      REQUIRE(SSL_CTX_set_max_send_fragment(context, 512) == 1);
    };
    sides.client_options.customize = shorten;
    sides.server_options.customize = shorten;
  }
  Ends ends(sides);
  ends.shake_hands();
  const std::string data = numbers(300'000);
  const bool of_server = GENERATE(false, true);
  UserTLSTransport& from = of_server ? ends.server : ends.client;
  UserTLSTransport& to = of_server ? ends.client : ends.server;
  const int from_fd = (of_server ? ends.pair.far : ends.pair.near).get();
  const int to_fd = (of_server ? ends.pair.near : ends.pair.far).get();
  std::string_view rest = data;
  std::string got;
  std::array<char, 65'536> space;
  while (got.size() < data.size()) {
    const ssize_t sent = from.send(from_fd, {&rest, 1});
    REQUIRE((sent >= 0 || errno == EAGAIN));
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
    for (ssize_t count; (count = to.receive(to_fd, space)) > 0;)
      got.append(space.data(), static_cast<std::size_t>(count));
  }
  CHECK((got == data));
}

TEST_CASE("TLS works over every descriptor that can be read and written", "[tls]") {
  TestLoop loop;
  const TLSSides sides;
  SocketPair pair;
  IOStream client(std::move(pair.near), loop);
  IOStream server(std::move(pair.far), loop);
  loop.run(testing::secure_both(client, server, sides.client(), sides.server()));
  const auto talk = [](IOStream& from, IOStream& to) -> Task<std::string> {
    (void)from.write("hello\n");
    std::string text = co_await to.read_until("\n");
    co_return text;
  };
  CHECK(loop.run(talk(client, server)) == "hello\n");
  CHECK(loop.run(talk(server, client)) == "hello\n");
}

TEST_CASE("received bytes that wait are reported without the poller (IOS-76)", "[tls]") {
  Ends ends;
  ends.shake_hands();
  CHECK_FALSE(ends.server.has_received());
  REQUIRE(ends.send("0123456789") == 10);
  REQUIRE(ends.send("abc") == 3);
  char space[4];
  CHECK(ends.server.receive(ends.pair.far.get(), space) == 4);
  CHECK(ends.server.has_received());
  std::array<char, 8> more;
  CHECK(ends.server.receive(ends.pair.far.get(), more) == 8);
  CHECK(ends.server.has_received());
  CHECK(ends.server.receive(ends.pair.far.get(), more) == 1);
  CHECK_FALSE(ends.server.has_received());
}

TEST_CASE("bytes are received before the end behind them", "[tls]") {
  Ends ends;
  ends.shake_hands();
  REQUIRE(ends.send("last words") == 10);
  std::array<char, 100> space;
  SECTION("a clean one") {
    ends.client.end_sending(ends.pair.near.get());
    ends.client.end_sending(ends.pair.near.get());  // the second call has no effect
    CHECK(ends.server.receive(ends.pair.far.get(), space) == 10);
    CHECK(ends.server.has_received());
    CHECK(ends.server.receive(ends.pair.far.get(), space) == 0);
    CHECK_FALSE(ends.server.has_received());
    CHECK_FALSE(ends.server.error());
    // The other direction still works.
    const std::string_view answer = "answer";
    CHECK(ends.server.send(ends.pair.far.get(), {&answer, 1}) == 6);
    CHECK(ends.client.receive(ends.pair.near.get(), space) == 6);
  }
  SECTION("a cut") {
    // Reads the server's tickets: unread bytes would turn the close into a reset.
    CHECK(ends.client.receive(ends.pair.near.get(), space) == -1);
    ends.pair.near.reset();
    CHECK(ends.server.receive(ends.pair.far.get(), space) == 10);
    CHECK(ends.server.receive(ends.pair.far.get(), space) == -1);
    CHECK(errno != EAGAIN);
    CHECK(ends.server.error() == StreamErrc::truncated);
    CHECK_FALSE(ends.server.has_received());
    const std::string_view answer = "answer";
    CHECK(ends.server.send(ends.pair.far.get(), {&answer, 1}) == -1);
    CHECK(errno != EAGAIN);
  }
}

TEST_CASE("bytes that come with the end of a handshake are not lost", "[tls]") {
  Ends ends;
  CHECK(ends.client.handshake(ends.pair.near.get()) == Step::pending);
  CHECK(ends.server.handshake(ends.pair.far.get()) == Step::pending);
  CHECK(ends.client.handshake(ends.pair.near.get()) == Step::done);
  REQUIRE(ends.send("at once") == 7);
  CHECK(ends.server.handshake(ends.pair.far.get()) == Step::done);
  CHECK(ends.server.has_received());
  CHECK(ends.receive() == "at once");
}

TEST_CASE("rest() loses no byte, even with a part of a record", "[tls]") {
  Ends ends;
  ends.shake_hands();
  for (int i = 0; i < 3; ++i) {
    CHECK(ends.send("before") == 6);
    CHECK(ends.receive() == "before");
    ends.server.rest();
    ends.server.rest();
    CHECK(ends.send("after") == 5);
    std::array<char, 2> two;
    CHECK(ends.server.receive(ends.pair.far.get(), two) == 2);
    ends.server.rest();
    CHECK(ends.receive() == "ter");
  }
}

TEST_CASE("a limited number of transports keep OpenSSL's buffers, and further transports work the same",
          "[tls]") {
  const TLSSides sides;
  std::vector<std::unique_ptr<Ends>> many;
  for (int i = 0; i < TLSConnection::kKeepBuffers + 3; ++i) {
    many.push_back(std::make_unique<Ends>(sides));
    many.back()->shake_hands();
    CHECK(many.back()->send("hello") == 5);
    CHECK(many.back()->receive() == "hello");
  }
}

TEST_CASE("a transport outlives the context it was made with", "[tls]") {
  std::unique_ptr<Ends> ends = std::make_unique<Ends>();
  ends->shake_hands();  // the context is destroyed
  REQUIRE(ends->send("x") == 1);
  CHECK(ends->receive() == "x");
}

TEST_CASE("names for which OpenSSL would accept any or many certificates are refused (SEC-73)", "[tls]") {
  TLSSides sides;
  for (const std::string_view host : {std::string_view("localhost\0.example", 18), std::string_view("."),
                                      std::string_view(".example"), std::string_view(".example.")})
    CHECK_THROWS_AS(UserTLSTransport(sides.client(), host), std::invalid_argument);
}

}  // namespace
}  // namespace squall::tls_transport_test
