#include <squall/iostream/address/network.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::network_test {
namespace {

bool holds(const std::string& network, const std::string& ip) {
  return Network(network).contains(Address::parse_ip(ip).value());
}

TEST_CASE("a network contains the addresses with its prefix", "[network]") {
  CHECK(holds("10.0.0.0/8", "10.0.0.0"));
  CHECK(holds("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK_FALSE(holds("10.0.0.0/8", "9.255.255.255"));
  CHECK(holds("192.168.4.0/22", "192.168.7.255"));
  CHECK_FALSE(holds("192.168.4.0/22", "192.168.8.0"));
  CHECK(holds("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(holds("192.0.2.7", "192.0.2.6"));
  CHECK(holds("192.0.2.6/31", "192.0.2.7"));
  CHECK(holds("0.0.0.0/0", "255.255.255.255"));
  CHECK(holds("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(holds("::1/128", "::1"));
  CHECK_FALSE(holds("::1/128", "::2"));
  CHECK(holds("fe80::/10", "fe80::1%2"));
}

TEST_CASE("an IPv4 address mapped into IPv6 is IPv4, on both sides", "[network]") {
  CHECK(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
  CHECK(holds("::ffff:10.0.0.0/104", "::ffff:10.1.2.3"));
  CHECK_FALSE(holds("::ffff:10.0.0.0/104", "11.1.2.3"));
  CHECK(holds("::ffff:0.0.0.0/96", "1.2.3.4"));
  CHECK_FALSE(holds("::/0", "1.2.3.4"));
  CHECK_FALSE(holds("::/0", "::ffff:1.2.3.4"));
  CHECK(holds("::/0", "2001:db8::1"));
  CHECK_FALSE(holds("0.0.0.0/0", "::1"));
}

TEST_CASE("an address that is not IP is in no network", "[network]") {
  for (const char* network : {"0.0.0.0/0", "::/0"}) CHECK_FALSE(Network(network).contains(Address()));
  CHECK_FALSE(contains({}, Address::parse_ip("1.2.3.4").value()));
  const std::vector<Network> two = {Network("10.0.0.0/8"), Network("::1")};
  CHECK(contains(two, Address::parse_ip("10.2.3.4").value()));
  CHECK(contains(two, Address::parse_ip("::1").value()));
  CHECK_FALSE(contains(two, Address::parse_ip("::2").value()));
}

TEST_CASE("bits beyond the prefix do not count", "[network]") {
  CHECK(Network("127.0.0.1/8") == Network("127.0.0.0/8"));
  CHECK(Network("127.0.0.1/8").to_string() == "127.0.0.0/8");
  CHECK(Network("2001:db8::1/47").to_string() == "2001:db8::/47");
  CHECK(Network("::ffff:10.1.1.1/120").to_string() == "10.1.1.0/24");
  CHECK(Network("1.2.3.4").to_string() == "1.2.3.4/32");
  CHECK(Network("::").to_string() == "::/128");
}

TEST_CASE("the error of a malformed network quotes the text", "[network]") {
  for (const std::string text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                                 "10.0.0.0/8 ", "10.0.0.0/0008", "10.0.0.0/8/8", "10.0.0/8", "localhost",
                                 "::/129", "fe80::1%2/64", "10.0.0.0/255.0.0.0", "[::1]"}) {
    INFO(text);
    CHECK_FALSE(Network::parse(text));
    try {
      const Network network(text);
      FAIL("taken");
    } catch (const std::invalid_argument& error) {
      CHECK(std::string(error.what()) == "Not a network of IP addresses: \"" + text + "\"");
    }
  }
}

// The definition of a network, bit by bit.
TEST_CASE("random addresses are in random networks exactly if the bits of the prefix agree", "[network]") {
  std::mt19937 random(20240801);
  for (int round = 0; round < 20000; ++round) {
    const std::size_t size = random() % 2 ? 4 : 16;
    std::string base(size, '\0');
    for (char& c : base) c = static_cast<char>(random());
    const std::size_t prefix = random() % (size * 8 + 1);
    // One bit of difference.
    std::string other = base;
    const std::size_t bit = random() % (size * 8);
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (0x80 >> bit % 8));
    const Network network(Address::from_bytes(base, 0).ip() + "/" + std::to_string(prefix));
    REQUIRE(network.contains(Address::from_bytes(base, 0)));
    REQUIRE(network.contains(Address::from_bytes(other, 0)) == (bit >= prefix));
  }
}

}  // namespace
}  // namespace squall::network_test
