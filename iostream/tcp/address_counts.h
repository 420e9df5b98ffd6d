#pragma once

#include <squall/iostream/address/address.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace squall {

// How many connections each address has. An IPv6 address counts by its first 64 bits, as the others are its
// owner's to choose; an IPv4 address mapped into IPv6 is the IPv4 address. What is no IP address is not
// counted.
//
// Memory:    an entry for each address that has a connection, which goes with the last.
class AddressCounts {
 public:
  AddressCounts();

  std::size_t of(const Address& address) const noexcept;
  void add(const Address& address);
  // Of one that was added.
  void remove(const Address& address) noexcept;
  // Addresses that have connections.
  std::size_t size() const noexcept { return counts_.size(); }

 private:
  struct Key {
    std::uint64_t bits = 0;
    int family = 0;
    friend bool operator==(const Key&, const Key&) noexcept = default;
  };
  // Seeded: who owns many addresses must not be able to choose such that all fall together.
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const noexcept;
  };

  static Key key_of(const Address& address) noexcept;

  std::unordered_map<Key, std::size_t, Hash> counts_;
};

}  // namespace squall
