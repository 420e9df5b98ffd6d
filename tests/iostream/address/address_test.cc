#include <squall/iostream/address/address.h>

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "support/catch.h"
#include "support/socket_pair.h"
#include "support/stream_pair.h"

namespace squall::address_test {
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
  CHECK(Address::local_of(a.get()) == Address::peer_of(b.get()));
}

TEST_CASE("a truncated address, or one of another family, is unknown (HSV-20)", "[address]") {
  sockaddr_in short_of_it{};
  short_of_it.sin_family = AF_INET;
  sockaddr other{};
  other.sa_family = AF_PACKET;
  for (const Address& unknown :
       {Address(), Address::peer_of(-1), Address(&other, sizeof other), Address(&other, 0),
        Address(reinterpret_cast<const sockaddr*>(&short_of_it), sizeof short_of_it - 1),
        Address::from_bytes("12345", 80)}) {
    CHECK(unknown.to_string() == "unknown");
    CHECK(unknown.ip() == "0.0.0.0");
    CHECK(unknown.ip_bytes().empty());
    CHECK(unknown.port() == 0);
    CHECK(unknown.size() == 0);
    CHECK_FALSE(unknown.is_ip());
    CHECK_FALSE(unknown.is_unix());
    CHECK(unknown == Address());
  }
}

TEST_CASE("a Unix socket's peer is `unix`, and its IP address 0.0.0.0 (HSV-20)", "[address]") {
  const testing::SocketPair pair;
  for (const Address& address : {Address::peer_of(pair.near.get()), Address::local_of(pair.near.get())}) {
    CHECK(address.is_unix());
    CHECK(address.to_string() == "unix");
    CHECK(address.ip() == "0.0.0.0");
    CHECK(address.port() == 0);
    CHECK(address.size() == 0);
    CHECK(address != Address());
  }
}

TEST_CASE("Address::parse() reads the output of to_string()", "[address]") {
  for (const std::string text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::]:0", "[::1]:80",
                                 "[2001:db8::ff00:42:8329]:443", "[::ffff:10.0.0.1]:1", "[fe80::1%2]:8080"}) {
    INFO(text);
    const auto address = Address::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
    CHECK(Address::parse_ip(address->ip(), address->port()) == address);
    CHECK(is_valid_ip(address->ip()));
  }
  CHECK(Address::parse_ip("2001:DB8:0:0:0:0:0:1")->ip() == "2001:db8::1");
}

TEST_CASE("only an address is parsed as an address", "[address]") {
  for (const std::string text : {"",
                                 ":",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 ":80",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:080",
                                 "127.0.0.1:-1",
                                 "127.0.0.1:+1",
                                 "127.0.0.1: 80",
                                 "127.0.0.1:80 ",
                                 "127.0.0.1:8x",
                                 "localhost:80",
                                 "::1:80",
                                 "[::1]",
                                 "[::1]80",
                                 "[::1:80",
                                 "::1]:80",
                                 "[127.0.0.1]:80",
                                 "[]:80",
                                 "[[::1]]:80",
                                 "[::1]:99999999999"})
    CHECK_FALSE(Address::parse(text));
}

TEST_CASE("is_valid_ip accepts only numeric addresses (NET-20)", "[address]") {
  for (const std::string text : {"1.2.3.4", "::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::1%3"})
    CHECK(is_valid_ip(text));
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  "localhost"s,
                                  "1.2.3"s,
                                  "1.2.3.4.5"s,
                                  "1.2.3.256"s,
                                  "01.2.3.4"s,
                                  "0x7f.1"s,
                                  "127.1"s,
                                  "1"s,
                                  " 1.2.3.4"s,
                                  "1.2.3.4 "s,
                                  "1.2.3.4\0"s,
                                  "1.2.3.4\0x"s,
                                  "\0"s,
                                  "::1\0"s,
                                  ":::"s,
                                  "1::2::3"s,
                                  "12345::"s,
                                  "fe80::1%"s,
                                  "fe80::1%0"s,
                                  "fe80::1%eth0"s,
                                  "fe80::1%4294967296"s,
                                  "1.2.3.4%1"s,
                                  "[::1]"s,
                                  std::string(1000, '1'),
                                  std::string(45, ':'),
                                  "1.2.3.4/8"s})
    CHECK_FALSE(is_valid_ip(text));
}

TEST_CASE("a host that ends in a number is an address or nothing", "[address]") {
  for (const char* const host : {"127.0.0.1", "010.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7F000001",
                                 "a.1", "1.", "127.0.0.1.", "a.0x", "0300.0.0.1"})
    CHECK(ends_in_number(host));
  for (const char* const host : {"", ".", "a", "1a", "a.b1", "1.a", "0x7g", "x7", "::1", "localhost."})
    CHECK_FALSE(ends_in_number(host));
}

TEST_CASE("addresses are ordered by family, number, port and scope", "[address]") {
  const std::vector<std::string> sorted = {"9.0.0.1:1",     "10.0.0.1:1", "10.0.0.1:2", "200.0.0.1:1",
                                           "[::1]:1",       "[::1]:2",    "[::2]:1",    "[fe80::1%1]:1",
                                           "[fe80::1%2]:1", "[ff02::1]:1"};
  std::vector<Address> addresses;
  std::unordered_set<Address> set;
  for (const std::string& text : sorted) addresses.push_back(Address::parse(text).value());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    for (std::size_t j = 0; j < addresses.size(); ++j) {
      CHECK((addresses[i] <=> addresses[j]) == (i <=> j));
      CHECK((addresses[i] == addresses[j]) == (i == j));
    }
    set.insert(addresses[i]);
    set.insert(Address::parse(sorted[i]).value());
  }
  CHECK(set.size() == addresses.size());
}

TEST_CASE("unmapped() returns the IPv4 address of an IPv4-mapped IPv6 address", "[address]") {
  CHECK(Address::parse("[::ffff:10.1.2.3]:80")->unmapped().to_string() == "10.1.2.3:80");
  for (const std::string text : {"10.1.2.3:80", "[::1]:80", "[::10.1.2.3]:80"})
    CHECK(Address::parse(text)->unmapped() == Address::parse(text));
  CHECK(Address().unmapped() == Address());
}

TEST_CASE("an address with another port is the same address", "[address]") {
  CHECK(Address::parse("1.2.3.4:5")->with_port(6).to_string() == "1.2.3.4:6");
  CHECK(Address::parse("[fe80::1%2]:5")->with_port(0).to_string() == "[fe80::1%2]:0");
  CHECK(Address().with_port(6) == Address());
}

}  // namespace
}  // namespace squall::address_test
