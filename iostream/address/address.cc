#include <squall/iostream/address/address.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/parse_decimal.h>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace squall {
namespace {

template <class Call>
Address ask(Call call, int fd) noexcept {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return Address();
  return Address(reinterpret_cast<const sockaddr*>(&storage), length);
}

}  // namespace

static_assert(sizeof(Address) == sizeof(sockaddr_in6), "a server keeps an Address for each idle connection");

Address::Address(const sockaddr* address, socklen_t length) noexcept : storage_{} {
  // A truncated name, or a peer without a name, may be shorter than the family's structure.
  if (length < offsetof(sockaddr, sa_family) + sizeof address->sa_family) return;
  const bool v4 = length >= sizeof(sockaddr_in) && address->sa_family == AF_INET;
  const bool v6 = length >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6;
  if (v4) std::memcpy(&storage_.v4, address, sizeof storage_.v4);
  if (v6) std::memcpy(&storage_.v6, address, sizeof storage_.v6);
  if (address->sa_family == AF_UNIX) storage_.any.sa_family = AF_UNIX;
}

Address Address::local_of(int fd) noexcept { return ask(::getsockname, fd); }
Address Address::peer_of(int fd) noexcept { return ask(::getpeername, fd); }

std::optional<Address> Address::parse(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = parse_canonical_decimal<std::uint16_t>(text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string_view ip = text.substr(0, colon);
  const bool in_brackets = ip.starts_with('[') && ip.ends_with(']');
  if (in_brackets) ip = ip.substr(1, ip.size() - 2);
  const std::optional<Address> address = parse_ip(ip, *port);
  // `::1:80` is an IPv6 address without a port; `[127.0.0.1]` is malformed.
  if (!address || in_brackets != (address->family() == AF_INET6)) return std::nullopt;
  return address;
}

[[gnu::cold]] bool ends_in_number(std::string_view host) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view last = host.substr(host.rfind('.') + 1);
  if (last.empty()) return false;
  if (std::all_of(last.begin(), last.end(), is_digit)) return true;
  if (!starts_with_ignoring_case(last, "0x")) return false;
  return std::all_of(last.begin() + 2, last.end(), [](char c) { return hex_value(c) >= 0; });
}

std::optional<Address> Address::parse_ip(std::string_view ip, std::uint16_t port) noexcept {
  char text[INET6_ADDRSTRLEN];
  const std::string_view digits = ip.substr(0, ip.find('%'));
  // inet_pton() ignores the bytes behind a NUL.
  if (digits.size() >= sizeof text || digits.find('\0') != digits.npos) return std::nullopt;
  text[digits.copy(text, sizeof text)] = '\0';
  char bytes[sizeof(in6_addr)];
  if (digits.size() == ip.size() && ::inet_pton(AF_INET, text, bytes) == 1)
    return from_bytes({bytes, sizeof(in_addr)}, port);
  if (::inet_pton(AF_INET6, text, bytes) != 1) return std::nullopt;
  Address address = from_bytes({bytes, sizeof bytes}, port);
  if (digits.size() == ip.size()) return address;
  const auto scope = parse_canonical_decimal<std::uint32_t>(ip.substr(digits.size() + 1));
  if (!scope || *scope == 0) return std::nullopt;
  address.storage_.v6.sin6_scope_id = *scope;
  return address;
}

Address Address::from_bytes(std::string_view ip, std::uint16_t port) noexcept {
  Address address;
  if (ip.size() == sizeof(in_addr)) {
    address.storage_.v4.sin_family = AF_INET;
    std::memcpy(&address.storage_.v4.sin_addr, ip.data(), ip.size());
  } else if (ip.size() == sizeof(in6_addr)) {
    address.storage_.v6.sin6_family = AF_INET6;
    std::memcpy(&address.storage_.v6.sin6_addr, ip.data(), ip.size());
  }
  return address.with_port(port);
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "0.0.0.0";
  if (family() == AF_INET) ::inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
  if (family() != AF_INET6) return text;
  ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
  return scope() ? fmt::format("{}%{}", text, scope()) : text;
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  return family() == AF_INET6 ? ntohs(storage_.v6.sin6_port) : 0;
}

std::string Address::to_string() const {
  if (family() == AF_INET) return fmt::format("{}:{}", ip(), port());
  if (family() == AF_INET6) return fmt::format("[{}]:{}", ip(), port());
  return is_unix() ? "unix" : "unknown";
}

std::string_view Address::ip_bytes() const noexcept {
  if (family() == AF_INET)
    return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), sizeof storage_.v4.sin_addr};
  if (family() == AF_INET6)
    return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), sizeof storage_.v6.sin6_addr};
  return {};
}

Address Address::with_port(std::uint16_t port) const noexcept {
  Address other = *this;
  if (family() == AF_INET) other.storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) other.storage_.v6.sin6_port = htons(port);
  return other;
}

Address Address::unmapped() const noexcept {
  if (family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return *this;
  return from_bytes(ip_bytes().substr(12), port());
}

socklen_t Address::size() const noexcept {
  if (family() == AF_INET) return sizeof(sockaddr_in);
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : 0;
}

std::strong_ordering operator<=>(const Address& a, const Address& b) noexcept {
  if (const auto order = a.family() <=> b.family(); order != 0) return order;
  // compare() takes bytes as unsigned, so this is the numeric order of the addresses.
  if (const int order = a.ip_bytes().compare(b.ip_bytes()); order != 0) return order <=> 0;
  if (const auto order = a.port() <=> b.port(); order != 0) return order;
  return a.scope() <=> b.scope();
}

}  // namespace squall

std::size_t std::hash<squall::Address>::operator()(const squall::Address& address) const noexcept {
  const std::size_t ip = std::hash<std::string_view>()(address.ip_bytes());
  // The multiplier is odd, so different ports of one address never collide.
  return ip ^ (std::size_t{address.port()} * 0x9e3779b97f4a7c15U);
}

fmt::format_context::iterator fmt::formatter<squall::Address>::format(const squall::Address& address,
                                                                      fmt::format_context& context) const {
  return std::ranges::copy(address.to_string(), context.out()).out;
}
