#include <squall/iostream/address.h>

#include <arpa/inet.h>
#include <sys/un.h>

#include "support/catch.h"
#include "support/stream_pair.h"

namespace squall {
namespace {

Address v6(const char* text, std::uint16_t port, std::uint32_t scope = 0) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = scope;
  REQUIRE(::inet_pton(AF_INET6, text, &address.sin6_addr) == 1);
  return Address(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

TEST_CASE("an address prints its numbers, IPv6 in brackets before a port", "[address]") {
  CHECK(v6("::1", 80).to_string() == "[::1]:80");
  CHECK(v6("::1", 80).ip() == "::1");
  CHECK(v6("fe80::1", 1, 2).ip() == "fe80::1%2");
  CHECK(v6("2001:db8::1", 65535).port() == 65535);
}

TEST_CASE("a connected socket's addresses mirror its peer's", "[address]") {
  const auto [a, b] = testing::tcp_pair();
  CHECK(Address::local_of(a.get()).to_string() == Address::peer_of(b.get()).to_string());
  CHECK(Address::local_of(a.get()).ip() == "127.0.0.1");
  CHECK(Address::local_of(a.get()).family() == AF_INET);
}

TEST_CASE("what is no IP address is unknown (HSV-20)", "[address]") {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  for (const Address& unknown : {Address(), Address::peer_of(-1),
                                 Address(reinterpret_cast<const sockaddr*>(&address), sizeof address)}) {
    CHECK(unknown.to_string() == "unknown");
    CHECK(unknown.ip() == "0.0.0.0");
    CHECK(unknown.port() == 0);
    CHECK(unknown.size() == 0);
  }
}

}  // namespace
}  // namespace squall
