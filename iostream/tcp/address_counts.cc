#include <squall/iostream/tcp/address_counts.h>

#include <random>
#include <string_view>

namespace squall {
namespace {

std::uint64_t random_seed() {
  std::random_device system;
  return std::uint64_t{system()} << 32 | system();
}

}  // namespace

AddressCounts::AddressCounts() : counts_(0, Hash{random_seed()}) {}

std::size_t AddressCounts::Hash::operator()(const Key& key) const noexcept {
  // The finisher of splitmix64: each bit of the seed and the key influences every bit of the hash.
  std::uint64_t mixed = (key.bits ^ seed) + static_cast<std::uint64_t>(key.family) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
  return mixed ^ mixed >> 31;
}

AddressCounts::Key AddressCounts::key_of(const Address& address) noexcept {
  const Address plain = address.unmapped();
  const std::string_view bytes = plain.ip_bytes();
  Key key;
  key.family = bytes.empty() ? 0 : plain.family();
  bytes.copy(reinterpret_cast<char*>(&key.bits), sizeof key.bits);
  return key;
}

std::size_t AddressCounts::of(const Address& address) const noexcept {
  const auto found = counts_.find(key_of(address));
  return found == counts_.end() ? 0 : found->second;
}

void AddressCounts::add(const Address& address) {
  const Key key = key_of(address);
  if (key.family) ++counts_[key];
}

void AddressCounts::remove(const Address& address) noexcept {
  const auto found = counts_.find(key_of(address));
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace squall
