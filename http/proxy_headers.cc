#include <squall/http/proxy_headers.h>

#include <squall/http/ascii.h>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace squall::http {
namespace {

constexpr std::array<unsigned char, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// All addresses as IPv6 ones; those of Unix sockets as none.
std::optional<std::array<unsigned char, 16>> bytes_of(const Address& address) noexcept {
  std::array<unsigned char, 16> bytes{};
  if (address.family() == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr, 16);
  } else if (address.family() == AF_INET) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
    std::memcpy(bytes.data() + 12, &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr, 4);
  } else {
    return std::nullopt;
  }
  return bytes;
}

std::string_view last_of_list(std::string_view list) {
  const std::size_t comma = list.rfind(',');
  return trim(comma == list.npos ? list : list.substr(comma + 1));
}

}  // namespace

std::optional<Address> parse_ip(std::string_view text) {
  const std::string copy(text);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (::inet_pton(AF_INET, copy.c_str(), &v4.sin_addr) == 1 && copy.size() == std::strlen(copy.c_str()))
    return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, copy.c_str(), &v6.sin6_addr) == 1 && copy.size() == std::strlen(copy.c_str()))
    return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  return std::nullopt;
}

NetworkList::NetworkList(const std::vector<std::string>& networks) {
  for (const std::string& network : networks) {
    const std::size_t slash = std::min(network.find('/'), network.size());
    const std::optional<Address> address = parse_ip(std::string_view(network).substr(0, slash));
    const unsigned most = address && address->family() == AF_INET ? 32 : 128;
    unsigned prefix = most;
    bool valid = address.has_value();
    if (slash < network.size()) {
      const char* const end = network.data() + network.size();
      const auto [stop, error] = std::from_chars(network.data() + slash + 1, end, prefix);
      valid = valid && error == std::errc() && stop == end && prefix <= most;
    }
    if (!valid) throw std::invalid_argument(fmt::format("neither an address nor a network: '{}'", network));
    networks_.push_back({*bytes_of(*address), prefix + 128 - most});
  }
}

bool NetworkList::contains(const Address& address) const noexcept {
  const auto bytes = bytes_of(address);
  if (!bytes) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const unsigned whole = network.prefix / 8;
    if (std::memcmp(bytes->data(), network.bytes.data(), whole) != 0) return false;
    const unsigned rest = network.prefix % 8;
    return rest == 0 || ((*bytes)[whole] ^ network.bytes[whole]) >> (8 - rest) == 0;
  });
}

ProxyHeaders::ProxyHeaders(const std::vector<std::string>& trusted_peers,
                           const std::vector<std::string>& trusted_downstream)
    : trusted_peers_(trusted_peers), trusted_downstream_(trusted_downstream) {}

ProxyHeaders::Client ProxyHeaders::client_of(const Address& peer, bool secure, const Headers& headers) const {
  Client client{peer, secure, trusted_peers_.empty() || trusted_peers_.contains(peer)};
  if (!client.trusted) return client;

  std::string candidate;
  const std::string forwarded = headers.get("X-Forwarded-For");
  for (std::string_view rest = forwarded; !rest.empty();) {
    const std::string_view last = last_of_list(rest);
    candidate = last;
    const std::optional<Address> address = parse_ip(last);
    if (!address || !trusted_downstream_.contains(*address)) break;
    const std::size_t comma = rest.rfind(',');
    rest = comma == rest.npos ? std::string_view() : rest.substr(0, comma);
  }
  if (headers.contains("X-Real-Ip")) candidate = headers.get("X-Real-Ip");
  if (const std::optional<Address> address = parse_ip(candidate)) client.address = *address;

  std::string protocol = headers.get("X-Scheme");
  if (!headers.contains("X-Scheme")) protocol = headers.get("X-Forwarded-Proto");
  const std::string_view last = last_of_list(protocol);
  if (last == "http" || last == "https") client.secure = last == "https";
  return client;
}

}  // namespace squall::http
