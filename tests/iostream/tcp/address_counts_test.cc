#include <squall/iostream/tcp/address_counts.h>

#include <map>
#include <random>
#include <string>

#include "support/catch.h"

namespace squall::address_counts_test {
namespace {

Address at(const std::string& ip, std::uint16_t port = 1) { return Address::parse_ip(ip, port).value(); }

TEST_CASE("connections are counted by address, not by port", "[address_counts]") {
  AddressCounts counts;
  counts.add(at("10.0.0.1", 1));
  counts.add(at("10.0.0.1", 2));
  counts.add(at("10.0.0.2"));
  CHECK(counts.of(at("10.0.0.1", 3)) == 2);
  CHECK(counts.of(at("10.0.0.2")) == 1);
  CHECK(counts.of(at("10.0.0.3")) == 0);
  CHECK(counts.of(at("::ffff:10.0.0.1")) == 2);
}

TEST_CASE("IPv6 addresses with the same first 64 bits are one", "[address_counts]") {
  AddressCounts counts;
  counts.add(at("2001:db8::1"));
  counts.add(at("2001:db8::ffff:ffff:ffff:ffff"));
  CHECK(counts.of(at("2001:db8::2")) == 2);
  CHECK(counts.of(at("2001:db8:0:1::1")) == 0);
  CHECK(counts.size() == 1);
  // Must not count as an IPv4 address with the same first bytes.
  counts.add(at("0a00:0001::"));
  CHECK(counts.of(at("10.0.0.1")) == 0);
}

TEST_CASE("an address that is not IP is not counted", "[address_counts]") {
  AddressCounts counts;
  counts.add(Address());
  CHECK(counts.of(Address()) == 0);
  counts.remove(Address());
  CHECK(counts.size() == 0);
}

TEST_CASE("an address is forgotten with its last connection", "[address_counts]") {
  AddressCounts counts;
  std::map<std::uint32_t, std::size_t> model;
  std::mt19937 random(1);
  const auto address = [](std::uint32_t i) { return at("10.0.0." + std::to_string(i)); };
  std::size_t open = 0;
  for (int round = 0; round < 50000; ++round) {
    const std::uint32_t i = random() % 50;
    if (random() % 2 || model[i] == 0) {
      counts.add(address(i));
      ++model[i];
      ++open;
    } else {
      counts.remove(address(i));
      --model[i];
      --open;
    }
    REQUIRE(counts.of(address(i)) == model[i]);
  }
  for (auto& [i, count] : model)
    for (; count > 0; --count) counts.remove(address(i));
  CHECK(open > 0);
  CHECK(counts.size() == 0);
}

}  // namespace
}  // namespace squall::address_counts_test
