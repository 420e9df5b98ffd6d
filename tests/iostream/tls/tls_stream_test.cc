#include <squall/iostream/tls/tls_stream.h>

#include <squall/ioloop/coro/with_timeout.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <string>

#include "support/temporary_folder.h"
#include "support/tls_pair.h"

namespace squall::tls_stream_test {
namespace {

using namespace std::chrono_literals;
using testing::CertificateWishes;
using testing::connected_pair;
using testing::message_thrown;
using testing::RawPeer;
using testing::secure;
using testing::secure_both;
using testing::self_signed;
using testing::tcp_pair;
using testing::TestLoop;
using testing::throws;
using testing::TLSSides;

// Two streams that speak TLS.
struct TLSWire {
  TLSWire(TestLoop& loop, const TLSContext& client_context, const TLSContext& server_context)
      : streams(connected_pair(loop)) {
    loop.run(secure_both(client, server, client_context, server_context));
  }
  explicit TLSWire(TestLoop& loop, const TLSSides& sides = TLSSides())
      : TLSWire(loop, sides.client(), sides.server()) {}
  std::pair<IOStream, IOStream> streams;
  IOStream& client = streams.first;
  IOStream& server = streams.second;
};

Task<> write(IOStream& stream, std::string data) { co_await stream.write(data); }
Task<std::string> line(IOStream& stream) { co_return co_await stream.read_until("\n"); }
Task<std::string> some(IOStream& stream) { co_return co_await stream.read_some(); }
Task<std::string> until_close(IOStream& stream) { co_return co_await stream.read_until_close(); }
Task<std::string> bytes(IOStream& stream, std::size_t count) { co_return co_await stream.read_bytes(count); }

std::string random_bytes(std::size_t count, std::mt19937& random) {
  std::string result(count, '\0');
  for (char& c : result) c = static_cast<char>(random());
  return result;
}

// ---- Handshakes.

TEST_CASE("after start_tls() each side reads the bytes that the other writes (IOS-70)", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  loop.run(write(wire.client, "hello\n"));
  CHECK(loop.run(line(wire.server)) == "hello\n");
  loop.run(write(wire.server, "and hello to you\n"));
  CHECK(loop.run(line(wire.client)) == "and hello to you\n");
  REQUIRE(wire.client.tls());
  CHECK(wire.client.tls()->version() == "TLSv1.3");
  CHECK(wire.client.tls()->cipher().starts_with("TLS_"));
  CHECK(wire.server.tls()->server_name() == "localhost");
  CHECK_FALSE(wire.client.tls()->session_reused());
  const auto certificate = wire.client.tls()->peer_certificate();
  REQUIRE(certificate);
  CHECK(certificate->subject == "CN=squall test");
  CHECK(certificate->issuer == "CN=squall test authority");
  CHECK(certificate->names == std::vector<std::string>{"DNS:localhost", "IP:127.0.0.1"});
  CHECK(certificate->fingerprint.size() == 64);
  CHECK(certificate->pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
  CHECK_FALSE(wire.server.tls()->peer_certificate());
}

Task<> speak_plain_first(IOStream& client, IOStream& server, const TLSSides& sides) {
  co_await client.write("STARTTLS\n");
  const std::string asked = co_await server.read_until("\n");
  CHECK(asked == "STARTTLS\n");
  co_await server.write("OK\n");
  const std::string answer = co_await client.read_until("\n");
  CHECK(answer == "OK\n");
  co_await secure_both(client, server, sides.client(), sides.server());
  co_await server.write("secret\n");
  const std::string secret = co_await client.read_until("\n");
  CHECK(secret == "secret\n");
}

TEST_CASE("TLS can begin in the middle of a connection", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [client, server] = connected_pair(loop);
  loop.run(speak_plain_first(client, server, sides));
}

TEST_CASE("a stream with bytes in either direction, or that is closed, cannot be converted (IOS-71)",
          "[tls]") {
  TestLoop loop;
  TLSSides sides;
  const TLSContext context = sides.server();
  const std::string text = "IOStream is not idle; cannot convert to SSL";
  auto [client, server] = connected_pair(loop);
  SECTION("bytes that were received and not read") {
    loop.run(write(client, "first\nsecond\n"));
    CHECK(loop.run(line(server)) == "first\n");
  }
  SECTION("bytes that were written and not sent") { (void)server.write("x"); }
  SECTION("a closed one") { server.close(); }
  SECTION("a stream that has TLS already") { (void)server.start_tls(context); }
  CHECK_THROWS_WITH(server.start_tls(context), text);
}

TEST_CASE("bytes written before the handshake is done are sent after it (IOS-77)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [client, server] = connected_pair(loop);
  (void)client.start_tls(sides.client(), "localhost");
  const WriteAwaiter written = client.write("early\n");
  (void)server.start_tls(sides.server());
  CHECK(loop.run(line(server)) == "early\n");
}

TEST_CASE("at most one task waits for the handshake at a time (IOS-75)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [client, server] = connected_pair(loop);
  const auto twice = [](IOStream& stream, TLSContext context) -> Task<std::string> {
    HandshakeAwaiter first = stream.start_tls(context);
    std::string text;
    auto waiting = [](HandshakeAwaiter& awaiter) -> Task<> { co_await awaiter; }(first);
    struct Nobody final : detail::TaskOwner {
      std::coroutine_handle<> task_ended(std::size_t) noexcept override { return std::noop_coroutine(); }
    } nobody;
    waiting.start(nobody);
    try {
      co_await stream.handshake();
    } catch (const std::logic_error& error) {
      text = error.what();
    }
    co_return text;
  };
  CHECK(loop.run(twice(server, sides.server())) == "Already waiting");
  loop.run(secure(client, sides.client(), "localhost"));
  const auto again = [](IOStream& stream) -> Task<> { co_await stream.handshake(); };
  loop.run(again(server));
  loop.run(again(client));
}

// The error of a client that connects to a server. Only the server logs.
std::string refusal(TestLoop& loop, const TLSContext& client_context, const TLSContext& server_context,
                    const std::string& host = "localhost") {
  auto [client, server] = connected_pair(loop);
  (void)server.start_tls(server_context);
  std::string text = loop.run(message_thrown<TLSError>(secure(client, client_context, host)));
  CHECK(client.closed());
  loop.run_until([&server = server] { return server.closed(); });
  return text;
}

TEST_CASE("an untrusted server is refused, and the server logs the reason (SEC-73, IOS-73)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  std::string alert = "unknown CA";
  std::string expected;
  std::string host = "localhost";
  SECTION("a self-signed certificate") {
    sides.server_options.certificates = {self_signed()};
    expected = "certificate verify failed: self-signed certificate (peer 127.0.0.1:";
  }
  SECTION("signed by another authority") {
    sides.server_options.certificates = {testing::CertificateAuthority("stranger").issue()};
    expected = "certificate verify failed: unable to get local issuer certificate (peer 127.0.0.1:";
  }
  SECTION("expired") {
    sides.server_options.certificates = {sides.authority.issue({.begins = -10, .ends = -1})};
    expected = "certificate verify failed: certificate has expired (peer 127.0.0.1:";
    alert = "certificate expired";
  }
  SECTION("not valid yet") {
    sides.server_options.certificates = {sides.authority.issue({.begins = 5})};
    expected = "certificate verify failed: certificate is not yet valid (peer 127.0.0.1:";
    alert = "bad certificate";
  }
  SECTION("for other hosts") {
    sides.server_options.certificates = {
        sides.authority.issue({.names = {"DNS:a.example", "DNS:*.b.example"}})};
    host = "www.example";
    expected =
        "certificate verify failed: hostname mismatch, it is for a.example, *.b.example and not for "
        "www.example (peer 127.0.0.1:";
    alert = "bad certificate";
  }
  SECTION("with its name as the common name only (RFC 9525)") {
    sides.server_options.certificates = {sides.authority.issue({.common_name = "localhost", .names = {}})};
    expected = "certificate verify failed: hostname mismatch, it is for no host and not for localhost (peer";
    alert = "bad certificate";
  }
  SECTION("for other addresses") {
    host = "127.0.0.2";
    expected =
        "certificate verify failed: IP address mismatch, it is for localhost, 127.0.0.1 and not for "
        "127.0.0.2";
    alert = "bad certificate";
  }
  SECTION("a name that looks like an address") {
    sides.server_options.certificates = {sides.authority.issue({.names = {"DNS:127.0.0.1"}})};
    host = "127.0.0.1";
    expected = "certificate verify failed: IP address mismatch";
    alert = "bad certificate";
  }
  const std::string text = refusal(loop, sides.client(), sides.server(), host);
  CHECK(text.starts_with(expected));
  INFO(text);
  const auto line = loop.log.expect("the peer sent the alert \"" + alert + "\"");
  CHECK(line.logger == "squall.general");
}

TEST_CASE("a host is verified by an exact name, a wildcard for one label, or its address", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.server_options.certificates = {
      sides.authority.issue({.names = {"DNS:a.example", "DNS:*.b.example", "IP:127.0.0.1", "IP:::1"}})};
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  for (const std::string host : {"a.example", "A.EXAMPLE", "a.example.", "x.b.example", "127.0.0.1", "::1"}) {
    INFO(host);
    auto [a, b] = connected_pair(loop);
    loop.run(secure_both(a, b, client, server, host));
    const bool is_address = host.find("a") == host.npos && host.find("A") == host.npos;
    CHECK(b.tls()->server_name().empty() == is_address);
  }
  for (const char* host : {"b.example", "x.y.b.example", "other.example", "127.0.0.2"}) {
    INFO(host);
    CHECK(refusal(loop, client, server, host).find("mismatch") != std::string::npos);
    loop.log.expect("bad certificate");
  }
}

TEST_CASE("the text of a TLSError ends with the peer if it is known", "[tls]") {
  const TLSError known("no", *Address::parse("[::1]:443"), {}, std::nullopt);
  CHECK(known.what() == std::string("no (peer [::1]:443)"));
  CHECK(known.reason() == "no");
  CHECK(TLSError("no", Address(), {}, std::nullopt).what() == std::string("no"));
}

TEST_CASE("a client that checks host names needs a name, and other clients do not", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [a, b] = connected_pair(loop);
  CHECK_THROWS_AS(a.start_tls(sides.client()), std::invalid_argument);
  SECTION("without check_hostname") { sides.client_options.check_hostname = false; }
  SECTION("without certificate checks (NET-31)") {
    sides.client_options.cert_reqs = CertReqs::none;
    sides.server_options.certificates = {self_signed({.names = {"DNS:elsewhere.example"}})};
  }
  loop.run(secure_both(a, b, sides.client(), sides.server(), ""));
  CHECK(a.tls()->peer_certificate());
}

TEST_CASE("the system's store does not trust the tests' authority (IOS-73)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  const std::string text = refusal(loop, TLSContext::client(), sides.server());
  CHECK(text.starts_with("certificate verify failed: unable to get local issuer certificate"));
  loop.log.expect("unknown CA");
}

TEST_CASE("a chain with an intermediate authority is sent completely", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.server_options.certificates = {sides.authority.intermediate().issue()};
  TLSWire wire(loop, sides);
  CHECK(wire.client.tls()->peer_certificate()->issuer == "CN=squall test intermediate");
}

TEST_CASE("versions below the minimum are refused (SEC-74)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.max_version = TLSVersion::tls1_2;
  TLSWire wire(loop, sides);
  CHECK(wire.client.tls()->version() == "TLSv1.2");
  sides.server_options.min_version = TLSVersion::tls1_3;
  CHECK(refusal(loop, sides.client(), sides.server())
            .starts_with("the peer sent the alert \"protocol version\""));
  loop.log.expect("unsupported protocol");
}

// ---- Mutual TLS.

TEST_CASE("a server may require a certificate of its clients", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.server_options.cert_reqs = CertReqs::required;
  sides.server_options.ca_pem = sides.authority.pem();
  SECTION("and gets the client's certificate") {
    sides.client_options.certificate = sides.authority.issue({.common_name = "alice", .names = {}});
    TLSWire wire(loop, sides);
    CHECK(wire.server.tls()->peer_certificate()->subject == "CN=alice");
  }
  SECTION("and refuses clients without a certificate") {
    auto [client, server] = connected_pair(loop);
    (void)client.start_tls(sides.client(), "localhost");
    CHECK(loop.run(message_thrown<TLSError>(secure(server, sides.server())))
              .starts_with("peer did not return a certificate (peer 127.0.0.1:"));
    loop.log.expect("peer did not return a certificate");
    // In TLS 1.3 a client's handshake ends before the server has checked its certificate.
    CHECK(loop.run(message_thrown<StreamClosedError>(some(client))) ==
          "Stream is closed: the peer sent the alert \"certificate required\"");
    loop.log.expect("certificate required");
    CHECK(tls_alert_of(client.error()) == 116);
    CHECK_FALSE(tls_alert_of(server.error()));
  }
  SECTION("and clients with an untrusted certificate") {
    sides.client_options.certificate = testing::CertificateAuthority("stranger").issue();
    auto [client, server] = connected_pair(loop);
    (void)client.start_tls(sides.client(), "localhost");
    CHECK(loop.run(message_thrown<TLSError>(secure(server, sides.server())))
              .starts_with("certificate verify failed: unable to get local issuer certificate"));
    loop.log.expect("certificate verify failed");
    CHECK(loop.run(throws<StreamClosedError>(some(client))));
    loop.log.expect("unknown CA");
  }
  SECTION("or request an optional certificate") {
    sides.server_options.cert_reqs = CertReqs::optional;
    TLSWire wire(loop, sides);
    CHECK_FALSE(wire.server.tls()->peer_certificate());
  }
}

// ---- ALPN.

TEST_CASE("the server's first common protocol is chosen (RFC 7301)", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.alpn = {"http/1.1", "h2", "x"};
  SECTION("several in common") {
    sides.server_options.alpn = {"y", "h2", "http/1.1"};
    TLSWire wire(loop, sides);
    CHECK(wire.client.tls()->alpn() == "h2");
    CHECK(wire.server.tls()->alpn() == "h2");
  }
  SECTION("a server without ALPN") {
    TLSWire wire(loop, sides);
    CHECK(wire.client.tls()->alpn().empty());
  }
  SECTION("a client without ALPN") {
    sides.client_options.alpn = {};
    sides.server_options.alpn = {"h2"};
    TLSWire wire(loop, sides);
    CHECK(wire.server.tls()->alpn().empty());
  }
  SECTION("no common protocol") {
    sides.server_options.alpn = {"y"};
    CHECK(refusal(loop, sides.client(), sides.server())
              .starts_with("the peer sent the alert \"no application protocol\""));
    loop.log.expect("no application protocol");
  }
}

// ---- Data.

Task<> pour(IOStream& stream, const std::string& data, std::mt19937 random) {
  std::string_view rest = data;
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, 1 + random() % 100'000);
    rest.remove_prefix(piece.size());
    if (random() % 2 == 0) {
      co_await stream.write(piece);
    } else {
      (void)stream.write(piece);
    }
  }
  stream.shutdown_write();
}

Task<> both_ways(IOStream& a, IOStream& b, const std::string& there, const std::string& back,
                 std::mt19937 random, std::string& got_there, std::string& got_back) {
  TaskGroup group(a.loop());
  const auto take = [](IOStream& stream, std::string& into) -> Task<> {
    for (;;) {
      const std::string_view piece = co_await stream.read_some();
      if (piece.empty()) co_return;
      into += piece;
    }
  };
  group.add(pour(a, there, random));
  group.add(pour(b, back, random));
  group.add(take(a, got_back));
  group.add(take(b, got_there));
  co_await group.join();
}

TEST_CASE("megabytes arrive unchanged, in both directions at once", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  if (GENERATE(false, true)) sides.client_options.max_version = TLSVersion::tls1_2;
  TLSWire wire(loop, sides);
  std::mt19937 random(7);
  const std::string there = random_bytes(9'000'000, random);
  const std::string back = random_bytes(5'000'001, random);
  std::string got_there;
  std::string got_back;
  loop.run(both_ways(wire.client, wire.server, there, back, random, got_there, got_back));
  CHECK((got_there == there));
  CHECK((got_back == back));
  CHECK(wire.client.at_eof());
  CHECK(wire.server.at_eof());
}

TEST_CASE("writes wait for a peer that does not read, and no byte is lost", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  std::mt19937 random(3);
  const std::string data = random_bytes(20'000'000, random);
  (void)wire.client.write(data);
  for (int i = 0; i < 20; ++i) loop.run_turn();
  CHECK(wire.client.pending_write_bytes() > 0);
  CHECK(wire.client.flushed_bytes() < data.size());
  const std::string got = loop.run(bytes(wire.server, data.size()));
  CHECK((got == data));
  CHECK(wire.client.pending_write_bytes() == 0);
}

TEST_CASE("a file is sent through memory if the kernel does not encrypt", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  testing::TemporaryFolder folder;
  std::mt19937 random(5);
  const std::string data = random_bytes(3'000'000, random);
  const std::string path = folder.file("data", data);
  FileSlice slice{OwnedFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), 100, data.size() - 100};
  (void)wire.server.write("head\n");
  (void)wire.server.write_file(std::move(slice));
  CHECK(loop.run(line(wire.client)) == "head\n");
  CHECK((loop.run(bytes(wire.client, data.size() - 100)) == data.substr(100)));
}

TEST_CASE("bytes and files arrive the same, with and without the kernel's encryption", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.ktls = sides.server_options.ktls = true;
  if (GENERATE(false, true)) sides.client_options.max_version = TLSVersion::tls1_2;
  TLSWire wire(loop, sides);
  // Only if /proc/sys/net/ipv4/tcp_available_ulp has `tls`.
  if (wire.server.transport()->is_in_kernel()) WARN("the kernel encrypts");
  std::mt19937 random(7);
  const std::string there = random_bytes(3'000'000, random);
  const std::string back = random_bytes(2'000'001, random);
  std::string got_there;
  std::string got_back;
  loop.run(both_ways(wire.client, wire.server, there, back, random, got_there, got_back));
  CHECK((got_there == there));
  CHECK((got_back == back));
  CHECK(wire.client.at_eof());
}

TEST_CASE("a handshake for the kernel's encryption fails like any other", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.ktls = sides.server_options.ktls = true;
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  RawPeer peer(std::move(pair.second));
  SECTION("by a peer that closes") {
    peer.close();
    CHECK(loop.run(message_thrown<TLSError>(secure(stream, sides.server())))
              .starts_with("the peer closed the connection"));
  }
  SECTION("by a peer with another protocol") {
    peer.send("GET / HTTP/1.1\r\n\r\n");
    CHECK(loop.run(message_thrown<TLSError>(secure(stream, sides.server())))
              .starts_with("plain HTTP request where TLS is spoken (peer "));
    loop.log.expect("plain HTTP request where TLS is spoken");
  }
  SECTION("by an untrusted certificate") {
    sides.server_options.certificates = {self_signed()};
    CHECK(
        refusal(loop, sides.client(), sides.server()).starts_with("certificate verify failed: self-signed"));
    loop.log.expect("unknown CA");
  }
}

// ---- Ends.

TEST_CASE("an orderly end is distinguished from a truncated connection (RFC 8446, 6.1)", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  loop.run(write(wire.client, "all of it"));
  SECTION("close_notify is the end") {
    wire.client.close();
    CHECK(loop.run(until_close(wire.server)) == "all of it");
    CHECK(wire.server.at_eof());
    CHECK_FALSE(wire.server.error());
  }
  SECTION("an end without close_notify is an error, and is not logged (IOS-55)") {
    ::shutdown(wire.client.fd(), SHUT_RDWR);
    CHECK(loop.run(message_thrown<StreamClosedError>(until_close(wire.server))) ==
          "Stream is closed: The connection ended without TLS's close_notify");
    CHECK(wire.server.error() == StreamErrc::truncated);
    CHECK(loop.run(some(wire.server)) == "all of it");
  }
}

TEST_CASE("one side may end its bytes and still read", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  (void)wire.client.write("question");
  wire.client.shutdown_write();
  CHECK(loop.run(until_close(wire.server)) == "question");
  loop.run(write(wire.server, "answer"));
  wire.server.close();
  CHECK(loop.run(until_close(wire.client)) == "answer");
}

TEST_CASE("a stream that is closed with unsent bytes does not look complete to the peer", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  (void)wire.client.write(std::string(20'000'000, 'x'));
  wire.client.close();
  CHECK(loop.run(throws<StreamClosedError>(until_close(wire.server))));
  CHECK(wire.server.error());
}

TEST_CASE("the close callback is called at close_notify, and not for other TLS messages (IOS-52)", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  int closed = 0;
  // The server's session tickets are on their way to it.
  wire.client.set_close_callback([&] { ++closed; });
  loop.run(write(wire.client, "x"));
  CHECK(loop.run(bytes(wire.server, 1)) == "x");
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(closed == 0);
  wire.server.close();
  loop.run_until([&] { return closed == 1; });
}

TEST_CASE("a view is valid until the next read, also while the stream watches for the end", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  wire.server.set_close_callback([] {});
  const auto hold = [](IOStream& stream, std::size_t size, bool& held, bool& go) -> Task<> {
    const std::string_view view = co_await stream.read_bytes(size);
    const std::string copy(view);
    held = true;
    while (!go) co_await sleep(1ms);
    CHECK((view == copy));
    held = false;
  };
  const std::size_t size = GENERATE(10, 5'000, 100'000);
  bool held = false;
  bool go = false;
  loop.spawn(hold(wire.server, size, held, go));
  (void)wire.client.write(std::string(size, 'a'));
  loop.run_until([&] { return held; });
  for (int i = 0; i < 5; ++i) {
    loop.run(write(wire.client, std::string(50'000, 'b')));
    loop.run_turn();
  }
  go = true;
  loop.run_until([&] { return !held; });
  CHECK((loop.run(bytes(wire.server, 250'000)) == std::string(250'000, 'b')));
}

TEST_CASE("over TLS the close callback is also called after a last read that did not wait (IOS-53)",
          "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  int closed = 0;
  wire.server.set_close_callback([&] { ++closed; });
  loop.run(write(wire.client, "data"));
  const bool at_once = GENERATE(false, true);  // the end comes with the bytes
  if (at_once) wire.client.shutdown_write();
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(closed == 0);
  CHECK(loop.run(some(wire.server)) == "data");
  if (!at_once) wire.client.close();
  loop.run_until([&] { return closed == 1; });
}

// ---- Cancellation and time.

TEST_CASE("an unanswered handshake times out, and the stream is closed", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.handshake_timeout = sides.server_options.handshake_timeout = 20ms;
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  const bool is_client = GENERATE(true, false);
  const TLSContext context = is_client ? sides.client() : sides.server();
  CHECK(loop.run(message_thrown<TimeoutError>(secure(stream, context, "localhost"))) ==
        "TLS handshake timed out");
  CHECK(stream.closed());
  CHECK(stream.error() == std::errc::timed_out);
}

TEST_CASE("a handshake that has ended leaves no timer, however long its awaiter lives", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [client, server] = connected_pair(loop);
  (void)server.start_tls(sides.server());
  auto shake = [](TestLoop& loop, IOStream& stream, TLSContext context) -> Task<> {
    auto handshake = stream.start_tls(context, "localhost");
    co_await handshake;
    CHECK(loop.stats().pending_timers == 0);
    const IOStream moved = std::move(stream);  // the awaiter no longer refers to the stream
    CHECK_FALSE(moved.closed());
  };
  loop.run(shake(loop, client, sides.client()));
}

TEST_CASE("dropping the task that waits for a handshake does not affect the stream", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [client, server] = connected_pair(loop);
  {
    Task<> waiting = secure(client, sides.client(), "localhost");
    struct Nobody final : detail::TaskOwner {
      std::coroutine_handle<> task_ended(std::size_t) noexcept override { return std::noop_coroutine(); }
    } nobody;
    waiting.start(nobody);
  }
  (void)server.start_tls(sides.server());
  loop.run(write(client, "still\n"));
  CHECK(loop.run(line(server)) == "still\n");
}

TEST_CASE("with_timeout limits a handshake, which continues and can be awaited again", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto [client, server] = connected_pair(loop);
  auto limited = [](HandshakeAwaiter handshake, TimeSpan limit) -> Task<> {
    co_await with_timeout(limit, std::move(handshake));
  };
  CHECK(loop.run(throws<TimeoutError>(limited(client.start_tls(sides.client(), "localhost"), 1ms))));
  {
    TaskGroup group(loop);
    group.add(limited(client.handshake(), 1h));
  }
  loop.run_turn();
  CHECK_FALSE(client.closed());
  (void)server.start_tls(sides.server());
  loop.run(limited(client.handshake(), 1h));
  loop.run(write(client, "still\n"));
  CHECK(loop.run(line(server)) == "still\n");
}

#ifndef NDEBUG
TEST_CASE("a stream that is moved while its handshake is awaited fails an assertion", "[tls]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The message of the assertion is not wanted in the output of the tests.
    ::close(STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);
    TestLoop loop;
    TLSSides sides;
    auto pair = tcp_pair();
    IOStream stream(std::move(pair.first), loop);
    Task<> waiting = secure(stream, sides.client(), "localhost");
    struct Nobody final : detail::TaskOwner {
      std::coroutine_handle<> task_ended(std::size_t) noexcept override { return std::noop_coroutine(); }
    } nobody;
    waiting.start(nobody);
    const IOStream moved = std::move(stream);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}
#endif

TEST_CASE("a stream may be closed or destroyed while a task waits for its handshake", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  auto pair = tcp_pair();
  auto stream = std::make_unique<IOStream>(std::move(pair.first), loop);
  const bool destroyed = GENERATE(false, true);
  loop.call_soon([&] {
    loop.call_soon([&] { destroyed ? stream.reset() : stream->close(); });  // once a task waits
  });
  CHECK(loop.run(message_thrown<StreamClosedError>(secure(*stream, sides.client(), "localhost"))) ==
        "Stream is closed");
}

TEST_CASE("a read that is dropped in the middle of a record loses no byte", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  CHECK(loop.run(throws<TimeoutError>(
      [](IOStream& stream) -> Task<> { co_await with_timeout(1ms, bytes(stream, 10)); }(wire.server))));
  loop.run(write(wire.client, "0123456789"));
  CHECK(loop.run(bytes(wire.server, 4)) == "0123");
  CHECK(loop.run(bytes(wire.server, 6)) == "456789");
}

TEST_CASE("a stream with TLS can be moved", "[tls]") {
  TestLoop loop;
  TLSWire wire(loop);
  (void)wire.client.write("one\n");
  IOStream client = std::move(wire.client);
  IOStream server = std::move(wire.server);
  CHECK(loop.run(line(server)) == "one\n");
  loop.run(write(server, "two\n"));
  CHECK(loop.run(line(client)) == "two\n");
}

// ---- Sessions.

Task<std::string> ask(IOStream& client, IOStream& server) {
  co_await server.write("ticket follows\n");
  std::string text = co_await client.read_until("\n");
  co_return text;
}

TEST_CASE("a client resumes its session on the next connection", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  if (GENERATE(false, true)) sides.client_options.max_version = TLSVersion::tls1_2;
  SECTION("by a ticket") {}
  SECTION("from the server's cache") {
    sides.server_options.session_tickets = false;
    sides.server_options.session_cache = 10;
  }
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  testing::ListeningPort port;
  for (int i = 0; i < 4; ++i) {
    auto [a, b] = port.connect(loop);
    loop.run(secure_both(a, b, client, server));
    CHECK(loop.run(ask(a, b)) == "ticket follows\n");
    CHECK(a.tls()->session_reused() == (i > 0));
    CHECK(b.tls()->session_reused() == (i > 0));
    CHECK(client.sessions() == 1);
  }
}

TEST_CASE("without a session cache, or without tickets, no session is resumed", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  SECTION("the client's") { sides.client_options.session_cache = 0; }
  SECTION("the server's") { sides.server_options.session_tickets = false; }
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  testing::ListeningPort port;
  for (int i = 0; i < 2; ++i) {
    auto [a, b] = port.connect(loop);
    loop.run(secure_both(a, b, client, server));
    CHECK(loop.run(ask(a, b)) == "ticket follows\n");
    CHECK_FALSE(a.tls()->session_reused());
  }
}

}  // namespace
}  // namespace squall::tls_stream_test
