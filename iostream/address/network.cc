#include <squall/iostream/address/network.h>

#include <squall/ioloop/base/parse_decimal.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace squall {
namespace {

// The number of bits before the IPv4 address in an IPv4-mapped address.
constexpr unsigned kMappedBits = 96;

// The bits of byte `index` that belong to the prefix.
unsigned char mask_of(unsigned prefix, std::size_t index) noexcept {
  const unsigned before = static_cast<unsigned>(index) * 8;
  if (prefix >= before + 8) return 0xff;
  return prefix <= before ? 0 : static_cast<unsigned char>(0xff00U >> (prefix - before));
}

}  // namespace

Network::Network(std::string_view text) {
  const std::optional<Network> network = parse(text);
  if (!network) throw std::invalid_argument(fmt::format("Not a network of IP addresses: \"{}\"", text));
  *this = *network;
}

std::optional<Network> Network::parse(std::string_view text) noexcept {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::optional<Address> written = Address::parse_ip(text.substr(0, slash));
  // A scope names an interface, not a range of addresses.
  if (!written || text.substr(0, slash).find('%') != text.npos) return std::nullopt;
  unsigned prefix = static_cast<unsigned>(written->ip_bytes().size()) * 8;
  if (slash < text.size()) {
    const std::string_view digits = text.substr(slash + 1);
    const std::optional<unsigned> given = parse_decimal<unsigned>(digits);
    if (!given || digits.size() > 3 || *given > prefix) return std::nullopt;
    prefix = *given;
  }
  Address address = *written;
  if (prefix >= kMappedBits && address.unmapped().family() != address.family()) {
    address = address.unmapped();
    prefix -= kMappedBits;
  }
  Network network;
  const std::string_view bytes = address.ip_bytes();
  network.size_ = static_cast<std::uint8_t>(bytes.size());
  network.prefix_ = static_cast<std::uint8_t>(prefix);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    network.bytes_[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) & mask_of(prefix, i));
  return network;
}

bool Network::contains(const Address& address) const noexcept {
  const Address plain = address.unmapped();
  const std::string_view bytes = plain.ip_bytes();
  if (bytes.size() != size_) return false;
  for (std::size_t i = 0; i * 8 < prefix_; ++i) {
    const auto differing = static_cast<unsigned char>(bytes[i] ^ bytes_[i]);
    if (differing & mask_of(prefix_, i)) return false;
  }
  return true;
}

std::string Network::to_string() const {
  return fmt::format("{}/{}", Address::from_bytes({bytes_.data(), size_}, 0).ip(), prefix_);
}

bool contains(std::span<const Network> networks, const Address& address) noexcept {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

}  // namespace squall
