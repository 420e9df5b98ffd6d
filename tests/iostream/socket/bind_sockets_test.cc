#include <squall/iostream/socket/bind_sockets.h>

#include <squall/iostream/address/address.h>
#include <squall/iostream/address/resolve_error.h>
#include <squall/iostream/socket/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "support/catch.h"
#include "support/platform.h"
#include "support/stream_pair.h"

namespace squall::bind_sockets_test {
namespace {

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  REQUIRE(::getsockopt(fd, level, name, &value, &length) == 0);
  return value;
}
std::string failure(std::uint16_t port, const ListenOptions& options) {
  try {
    bind_sockets(port, options);
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "";
}
ListenOptions on(std::string address) {
  ListenOptions options;
  options.address = std::move(address);
  return options;
}

TEST_CASE("all interfaces are bound, IPv4 before IPv6, on the same port (NET-01 to NET-04)",
          "[bind_sockets]") {
  const auto sockets = bind_sockets(0);
  REQUIRE(!sockets.empty());
  const std::uint16_t port = Address::local_of(sockets[0].get()).port();
  CHECK(port != 0);
  int last_family = 0;
  for (const OwnedFd& socket : sockets) {
    const Address address = Address::local_of(socket.get());
    CHECK(address.port() == port);
    CHECK(address.family() > last_family);
    last_family = address.family();
    CHECK(option(socket.get(), SOL_SOCKET, SO_REUSEADDR) != 0);
    CHECK(option(socket.get(), SOL_SOCKET, SO_ACCEPTCONN) != 0);
    if (address.family() == AF_INET6) CHECK(option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY) != 0);
    CHECK(accept_from(socket.get()).error == EAGAIN);  // non-blocking
  }
}

TEST_CASE("an address or a family limits the sockets that are bound (NET-02)", "[bind_sockets]") {
  const auto one = bind_sockets(0, on("127.0.0.1"));
  REQUIRE(one.size() == 1);
  CHECK(Address::local_of(one[0].get()).ip() == "127.0.0.1");
  ListenOptions v4 = on("localhost");
  v4.family = AF_INET;
  CHECK(bind_sockets(0, v4).size() == 1);
}

TEST_CASE("an accepted connection has TCP_NODELAY", "[bind_sockets]") {
  const auto [accepted, connected] = testing::tcp_pair();
  CHECK(option(accepted.get(), IPPROTO_TCP, TCP_NODELAY) != 0);
}

TEST_CASE("a port is shared only by sockets with reuse_port (NET-03)", "[bind_sockets]") {
  ListenOptions shared = on("127.0.0.1");
  shared.reuse_port = true;
  const auto first = bind_sockets(0, shared);
  const std::uint16_t port = Address::local_of(first[0].get()).port();
  const auto second = bind_sockets(port, shared);
  CHECK(second.size() == 1);
  CHECK(failure(port, on("127.0.0.1")) ==
        "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
}

TEST_CASE("a literal IPv6 address can be bound (NET-02)", "[bind_sockets]") {
  try {
    const auto sockets = bind_sockets(0, on("::1"));
    REQUIRE(sockets.size() == 1);
    CHECK(Address::local_of(sockets[0].get()).ip() == "::1");
  } catch (const std::system_error& error) {
    // A machine without IPv6.
    CHECK(error.code().value() == EADDRNOTAVAIL);
  }
}

TEST_CASE("deferred accepts and fast open are set only by their options", "[bind_sockets]") {
  const auto plain = bind_sockets(0, on("127.0.0.1"));
  CHECK(option(plain[0].get(), IPPROTO_TCP, TCP_DEFER_ACCEPT) == 0);
  CHECK(option(plain[0].get(), IPPROTO_TCP, TCP_FASTOPEN) == 0);
  ListenOptions options = on("127.0.0.1");
  options.defer_accept = std::chrono::seconds(5);
  options.fast_open = 16;
  if (!testing::kHasListenOptions) {
    CHECK(failure(0, options) == "TCP_DEFER_ACCEPT: Protocol not available");
    return;
  }
  const auto sockets = bind_sockets(0, options);
  CHECK(option(sockets[0].get(), IPPROTO_TCP, TCP_DEFER_ACCEPT) >=
        5);  // the kernel rounds up to retransmissions
  CHECK(option(sockets[0].get(), IPPROTO_TCP, TCP_FASTOPEN) == 16);
}

TEST_CASE("with deferred accepts a connection is accepted with its first bytes", "[bind_sockets]") {
  if (!testing::kHasListenOptions) return;
  ListenOptions options = on("127.0.0.1");
  options.defer_accept = std::chrono::seconds(60);
  const auto sockets = bind_sockets(0, options);
  const int fd = sockets[0].get();
  testing::RawPeer silent(Address::local_of(fd).port());
  testing::RawPeer talker(Address::local_of(fd).port());
  talker.send("x");
  Accepted accepted = accept_from(fd);
  while (!accepted.fd) accepted = accept_from(fd);
  CHECK(accepted.peer == Address::local_of(talker.fd()));
  CHECK(accept_from(fd).error == EAGAIN);
}

TEST_CASE("an address of another host, or an unknown name, is an error that quotes it", "[bind_sockets]") {
  CHECK(failure(0, on("192.0.2.1")) == "cannot listen on 192.0.2.1:0: Cannot assign requested address");
  CHECK(failure(0, on("no such host")).find("cannot look up no such host: ") == 0);
}

TEST_CASE("a name without an address fails with the error code of a resolver", "[bind_sockets]") {
  ListenOptions options = on("127.0.0.1");
  options.family = AF_INET6;
  try {
    bind_sockets(0, options);
    FAIL("127.0.0.1 is not an IPv6 address");
  } catch (const ResolveError& error) {
    CHECK(error.host() == "127.0.0.1");
    CHECK(error.is_definite());
    CHECK(error.code() == std::error_code(error.code().value(), resolver_category()));
  }
}

}  // namespace
}  // namespace squall::bind_sockets_test
