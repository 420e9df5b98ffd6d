#include <squall/iostream/tcp/tcp_server.h>

#include <optional>
#include <string>
#include <vector>

#include "support/echo_server.h"
#include "support/proxy_header.h"
#include "support/temporary_folder.h"

namespace squall::tcp_server_proxy_test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ask;
using testing::connect_from;
using testing::connect_unix;
using testing::EchoServer;
using testing::gets_closed;
using testing::is_closed;
using testing::Live;
using testing::loopback;
using testing::RawPeer;
using testing::TestLoop;
using testing::tlv;
using testing::v2;
using testing::v2_ipv4;
using Others = ProxyProtocolOptions::Others;

const std::string kLine = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

TCPServer::Options trusting(const std::string& network) {
  TCPServer::Options options;
  options.proxy_protocol.trusted = {Network(network)};
  return options;
}

struct Served {
  explicit Served(TCPServer::Options options = trusting("127.0.0.1")) : server(std::move(options), loop) {
    server.listen(0, loopback());
  }
  RawPeer connect() { return RawPeer(server.port()); }
  // The reply to `line` of a client behind the proxy.
  std::string ask_behind(const std::string& header, std::string_view line) {
    RawPeer peer = connect();
    return ask(loop, peer, header + std::string(line));
  }
  TestLoop loop;
  EchoServer server;
};

TEST_CASE("the client's address comes from a trusted proxy's header, in either version", "[proxy_protocol]") {
  Served served;
  CHECK(served.ask_behind(kLine, "who\n") == "192.0.2.1:56324\n");
  CHECK(served.ask_behind("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "who\n") == "[2001:db8::1]:1\n");
  CHECK(served.ask_behind(v2_ipv4("\xc0\x00\x02\x02\xc6\x33\x64\x07\xdc\x04\x01\xbb"s), "who\n") ==
        "192.0.2.2:56324\n");
  CHECK(served.ask_behind(v2(0x21, 0x31, std::string(216, '\0')), "who\n") == "unix\n");
  served.loop.run_until([&] { return served.server.connections() == 0; });
}

TEST_CASE("a timeout of zero or less for the PROXY header is refused", "[proxy_protocol]") {
  TestLoop loop;
  TCPServerOptions options;
  options.proxy_protocol.timeout = std::chrono::nanoseconds(0);
  CHECK_THROWS_AS(EchoServer(options, loop), std::invalid_argument);
  options.proxy_protocol.timeout = std::chrono::hours::min();
  CHECK_THROWS_AS(EchoServer(options, loop), std::invalid_argument);
  options.proxy_protocol.timeout = std::chrono::hours::max();
  const EchoServer server(options, loop);
}

TEST_CASE("the proxy's own address is the peer of the socket", "[proxy_protocol]") {
  Served served;
  RawPeer peer = served.connect();
  CHECK(ask(served.loop, peer, kLine + "proxy\n") == Address::local_of(peer.fd()).to_string() + "\n");
}

TEST_CASE("a proxy that connects on its own behalf is the peer", "[proxy_protocol]") {
  Served served;
  for (const std::string& header : {"PROXY UNKNOWN\r\n"s, v2(0x20, 0, ""), v2(0x21, 0, "rubbish")}) {
    RawPeer peer = served.connect();
    CHECK(ask(served.loop, peer, header + "who\n") == Address::local_of(peer.fd()).to_string() + "\n");
  }
}

TEST_CASE("a PROXY header may arrive in any pieces, and no byte behind it is taken", "[proxy_protocol]") {
  Served served;
  const std::string header =
      v2_ipv4("\xc0\x00\x02\x02\xc6\x33\x64\x07\xdc\x04\x01\xbb"s + tlv(ProxyTlv::alpn, "h2"));
  const std::string bytes = header + "who\n";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    INFO(cut);
    RawPeer peer = served.connect();
    peer.send(bytes.substr(0, cut));
    served.loop.run_turn();
    served.loop.run_turn();
    CHECK(ask(served.loop, peer, bytes.substr(cut)) == "192.0.2.2:56324\n");
  }
  // Byte by byte.
  RawPeer peer = served.connect();
  for (const char& byte : kLine) {
    peer.send({&byte, 1});
    served.loop.run_turn();
  }
  CHECK(ask(served.loop, peer, "who\n") == "192.0.2.1:56324\n");
}

TEST_CASE("the longest allowed header is read", "[proxy_protocol]") {
  Served served;
  const std::string header = v2_ipv4("\xc0\x00\x02\x02\xc6\x33\x64\x07\xdc\x04\x01\xbb"s +
                                     tlv(ProxyTlv::noop, std::string(4065, 'x')));
  REQUIRE(header.size() == kMaxProxyHeader);
  CHECK(served.ask_behind(header, "who\n") == "192.0.2.2:56324\n");
}

TEST_CASE("a malformed header is logged with the proxy and the reason, and its connection closed",
          "[proxy_protocol]") {
  Served served;
  const std::pair<std::string, std::string> rows[] = {
      {"GET / HTTP/1.1\r\n\r\n", "no PROXY header"},
      {"PROXY TCP4 1.2.3.4\r\n", "not two addresses and two ports in the PROXY line"},
      {std::string("PROXY UNKNOWN ") + std::string(100, 'x'), "a PROXY line of more than 107 bytes"},
      {v2(0x31, 0x11, "rubbish"), "a PROXY header of a version other than 2"},
      {v2(0x21, 0x11, std::string(5000, 'x')), "a PROXY header of more than 4096 bytes"},
      {v2_ipv4(std::string(12, '\1') + tlv(ProxyTlv::crc32c, "abcd")),
       "the checksum of the PROXY header is wrong"}};
  RawPeer bystander = served.connect();
  CHECK(ask(served.loop, bystander, kLine + "hello\n") == "hello\n");
  for (const auto& [bytes, reason] : rows) {
    RawPeer peer = served.connect();
    const std::string name = Address::local_of(peer.fd()).to_string();
    CHECK(ask(served.loop, peer, bytes) == "");
    served.loop.log.expect("Connection from proxy " + name + " refused: " + reason);
  }
  CHECK(ask(served.loop, bystander, "hello\n") == "hello\n");
  CHECK(served.server.connections() == 1);
}

TEST_CASE("a connection that ends within its header is logged, and one that ends before it is not",
          "[proxy_protocol]") {
  Served served;
  RawPeer checker = served.connect();
  served.loop.run_until([&] { return served.server.connections() == 1; });
  checker.close();
  served.loop.run_until([&] { return served.server.connections() == 0; });
  RawPeer rude = served.connect();
  served.loop.run_until([&] { return served.server.connections() == 1; });
  rude.reset();
  served.loop.run_until([&] { return served.server.connections() == 0; });
  RawPeer half = served.connect();
  const std::string name = Address::local_of(half.fd()).to_string();
  half.send("PROXY TCP4");
  half.half_close();
  served.loop.run_until([&] { return is_closed(half); });
  served.loop.log.expect("Connection from proxy " + name +
                         " refused: the connection ended within the PROXY header");
}

TEST_CASE("a header that does not come in time is logged, and its connection closed", "[proxy_protocol]") {
  auto options = trusting("127.0.0.1");
  options.proxy_protocol.timeout = 10ms;
  Served served(options);
  for (const std::string begun : {"", "PROXY "}) {
    RawPeer peer = served.connect();
    const std::string name = Address::local_of(peer.fd()).to_string();
    peer.send(begun);
    served.loop.run_until([&] { return is_closed(peer); });
    served.loop.log.expect("Connection from proxy " + name +
                           " refused: the PROXY header did not come in time");
  }
  CHECK(served.server.connections() == 0);
}

TEST_CASE("only a trusted peer's bytes are read as a header", "[proxy_protocol]") {
  for (const auto& options : {TCPServer::Options(), trusting("127.0.0.2")}) {
    Served served(options);
    RawPeer peer = served.connect();
    CHECK(ask(served.loop, peer, "who\n") == Address::local_of(peer.fd()).to_string() + "\n");
    CHECK(ask(served.loop, peer, kLine) == kLine);
  }
}

TEST_CASE("peers that are not trusted proxies can be refused", "[proxy_protocol]") {
  auto options = trusting("127.0.0.2");
  options.proxy_protocol.others = Others::are_refused;
  Served served(options);
  RawPeer peer = served.connect();
  const std::string name = Address::local_of(peer.fd()).to_string();
  served.loop.run_until([&] { return is_closed(peer); });
  served.loop.log.expect("Connection from " + name + " refused: not a trusted proxy");
  // With any bytes, and at most one log line a second.
  RawPeer other = served.connect();
  served.loop.run_until([&] { return is_closed(other); });
  served.loop.log.expect_any("Connection from ");
  RawPeer proxy = connect_from("127.0.0.2", served.server.port());
  CHECK(ask(served.loop, proxy, kLine + "who\n") == "192.0.2.1:56324\n");
}

TEST_CASE("a Unix socket's peers are proxies only with trust_unix_peers", "[proxy_protocol]") {
  const testing::TemporaryFolder folder;
  auto options = trusting("0.0.0.0/0");
  for (const bool trusts : {false, true}) {
    options.proxy_protocol.trust_unix_peers = trusts;
    Served served(options);
    served.server.listen_unix(folder / "socket");
    RawPeer peer = connect_unix(folder / "socket");
    if (trusts) peer.send(kLine);
    CHECK(ask(served.loop, peer, "who\n") == (trusts ? "192.0.2.1:56324\n" : "unix\n"));
  }
}

TEST_CASE("the limit applies to the client's address, not to the proxy's", "[proxy_protocol]") {
  auto options = trusting("127.0.0.1");
  options.max_connections_per_address = 1;
  Served served(options);
  RawPeer a = served.connect();
  RawPeer b = served.connect();
  CHECK(ask(served.loop, a, kLine + "a\n") == "a\n");
  CHECK(ask(served.loop, b, "PROXY TCP4 192.0.2.9 198.51.100.7 1 443\r\nb\n") == "b\n");
  CHECK(served.ask_behind(kLine, "c\n") == "");
  served.loop.log.expect("Connection from 192.0.2.1:56324 refused: its address has 1 connections");
  a.close();
  served.loop.run_until([&] { return served.server.connections() == 1; });
  CHECK(served.ask_behind(kLine, "d\n") == "d\n");
}

TEST_CASE("a connection counts before its PROXY header has arrived", "[proxy_protocol]") {
  auto options = trusting("127.0.0.1");
  options.max_connections = 1;
  Served served(options);
  RawPeer a = served.connect();
  RawPeer b = served.connect();
  served.loop.run_until([&] { return served.server.connections() == 1; });
  for (int turn = 0; turn < 5; ++turn) served.loop.run_turn();
  CHECK(served.server.connections() == 1);
  CHECK(ask(served.loop, a, kLine + "a\n") == "a\n");
  CHECK(served.server.connections() == 1);
  a.close();
  CHECK(ask(served.loop, b, kLine + "b\n") == "b\n");
  served.loop.log.expect_any("Cannot accept connections, waiting");
}

TEST_CASE("a connection may be closed while its header is awaited", "[proxy_protocol]") {
  for (const bool destroys : {true, false}) {
    TestLoop loop;
    auto server = std::make_unique<EchoServer>(trusting("127.0.0.1"), loop);
    server->listen(0, loopback());
    RawPeer peer(server->port());
    peer.send("PROXY ");
    loop.run_until([&] { return server->connections() == 1; });
    loop.run_turn();
    if (destroys) {
      server.reset();
    } else {
      server->close_all_connections();
      loop.run_turn();
      CHECK(server->connections() == 0);
    }
    CHECK(gets_closed(peer));
  }
}

class CuriousServer : public EchoServer {
 public:
  using EchoServer::EchoServer;
  std::string seen;
  bool fails = false;

 protected:
  void accepted_from_proxy(OwnedFd fd, const Address& proxy, const ProxyHeader& header) override {
    if (fails) throw std::runtime_error("full");
    seen = fmt::format("{} via {} to {}, {}", header.source, proxy, header.destination,
                       header.tlvs.find(ProxyTlv::authority).value_or("-"));
    EchoServer::accepted_from_proxy(std::move(fd), proxy, header);
  }
};

TEST_CASE("a server can use all values of the header", "[proxy_protocol]") {
  TestLoop loop;
  CuriousServer server(trusting("127.0.0.1"), loop);
  server.listen(0, loopback());
  RawPeer peer(server.port());
  const std::string name = Address::local_of(peer.fd()).to_string();
  const std::string header =
      v2_ipv4("\xc0\x00\x02\x02\xc6\x33\x64\x07\xdc\x04\x01\xbb"s + tlv(ProxyTlv::authority, "a.example"));
  CHECK(ask(loop, peer, header + "who\n") == "192.0.2.2:56324\n");
  CHECK(server.seen == "192.0.2.2:56324 via " + name + " to 198.51.100.7:443, a.example");
  server.fails = true;
  RawPeer other(server.port());
  const std::string other_name = Address::local_of(other.fd()).to_string();
  CHECK(ask(loop, other, header) == "");
  loop.log.expect("Cannot serve " + other_name + ": full");
}

}  // namespace
}  // namespace squall::tcp_server_proxy_test
