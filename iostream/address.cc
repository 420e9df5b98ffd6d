#include <squall/iostream/address.h>

#include <arpa/inet.h>
#include <fmt/format.h>

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

Address::Address(const sockaddr* address, socklen_t length) noexcept : storage_{} {
  const bool v4 = length >= sizeof(sockaddr_in) && address->sa_family == AF_INET;
  const bool v6 = length >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6;
  if (v4) std::memcpy(&storage_.v4, address, sizeof storage_.v4);
  if (v6) std::memcpy(&storage_.v6, address, sizeof storage_.v6);
}

Address Address::local_of(int fd) noexcept { return ask(::getsockname, fd); }
Address Address::peer_of(int fd) noexcept { return ask(::getpeername, fd); }

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "0.0.0.0";
  if (family() == AF_INET) ::inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
  if (family() != AF_INET6) return text;
  ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
  return storage_.v6.sin6_scope_id ? fmt::format("{}%{}", text, storage_.v6.sin6_scope_id) : text;
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  return family() == AF_INET6 ? ntohs(storage_.v6.sin6_port) : 0;
}

std::string Address::to_string() const {
  if (family() == AF_INET) return fmt::format("{}:{}", ip(), port());
  return family() == AF_INET6 ? fmt::format("[{}]:{}", ip(), port()) : "unknown";
}

socklen_t Address::size() const noexcept {
  if (family() == AF_INET) return sizeof(sockaddr_in);
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : 0;
}

}  // namespace squall
