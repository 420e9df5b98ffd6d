#pragma once

#include <squall/iostream/address/address.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace squall {

// Counts the connections of each address. IPv6 addresses with the same first 64 bits are one address, because
// a client may choose the other bits; an IPv4-mapped address is the IPv4 address. Other families are not
// counted.
//
// Thread:    one.
// Memory:    one entry for each address that has a connection.
class AddressCounts {
 public:
  AddressCounts();

  std::size_t of(const Address& address) const noexcept;
  void add(const Address& address);
  // `address` must have been added.
  void remove(const Address& address) noexcept;
  // The number of addresses that have connections.
  std::size_t size() const noexcept { return counts_.size(); }

 private:
  struct Key {
    std::uint64_t bits = 0;
    int family = 0;
    friend bool operator==(const Key&, const Key&) noexcept = default;
  };
  // Seeded, so that a client with many addresses cannot choose colliding ones.
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const noexcept;
  };

  static Key key_of(const Address& address) noexcept;

  std::unordered_map<Key, std::size_t, Hash> counts_;
};

}  // namespace squall
