#include <squall/iostream/socket/socket.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/iostream/socket/io_vectors.h>
#include <squall/iostream/socket/socket_system.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace squall {
namespace {

void set(int fd, int level, int option, int value) noexcept {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void detail::set_option(int fd, int level, int option, int value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) throw_errno(name);
}

int set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) throw_errno("fcntl(F_GETFL)");
  if (!(flags & O_NONBLOCK) && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) throw_errno("fcntl(F_SETFL)");
  return flags;
}

[[gnu::hot]] ssize_t receive_from(int fd, std::span<char> space) noexcept {
  return retry_interrupted([&] { return ::recv(fd, space.data(), space.size(), 0); });
}

ssize_t peek_from(int fd, std::span<char> space) noexcept {
  return retry_interrupted([&] { return ::recv(fd, space.data(), space.size(), MSG_PEEK); });
}

ssize_t peek_at(int fd) noexcept {
  char byte;
  return retry_interrupted([&] { return ::recv(fd, &byte, 1, MSG_PEEK); });
}

std::size_t arrived_bytes(int fd) noexcept {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

int pending_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

[[gnu::hot]] ssize_t send_to(int fd, std::string_view piece, Followed followed) noexcept {
  const int flags = detail::send_flags(followed);
  return retry_interrupted([&] { return ::send(fd, piece.data(), piece.size(), flags); });
}

ssize_t send_to(int fd, std::span<const std::string_view> pieces, Followed followed) noexcept {
  if (pieces.size() == 1) return send_to(fd, pieces.front(), followed);
  const int flags = detail::send_flags(followed);
  IoVectors vectors(pieces);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = static_cast<std::size_t>(vectors.count());
  return retry_interrupted([&] { return ::sendmsg(fd, &message, flags); });
}

void shut_down_sending(int fd) noexcept { ::shutdown(fd, SHUT_WR); }

void shut_down(int fd) noexcept { ::shutdown(fd, SHUT_RDWR); }

void reset_on_close(int fd) noexcept {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

// ---- Network interfaces.

bool is_network_interface(const std::string& name) noexcept {
  return name.find('\0') == name.npos && ::if_nametoindex(name.c_str()) != 0;
}

Address address_of_interface(const std::string& name, int family) {
  if (!is_network_interface(name)) throw std::system_error(ENODEV, std::generic_category(), name);
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) throw_errno("getifaddrs");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  std::optional<Address> found;
  for (const ifaddrs* entry = all; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != family || name != entry->ifa_name) continue;
    const bool is_v6 = family == AF_INET6;
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
    const bool is_link_local = is_v6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
    if (found && is_link_local) continue;
    found = Address(entry->ifa_addr, is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    if (!is_link_local) break;
  }
  if (!found) throw std::system_error(EADDRNOTAVAIL, std::generic_category(), name);
  return *found;
}

void check_listening(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  const int failed = ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
  if (failed && errno != ENOTSOCK) throw_errno(fmt::format("cannot accept on descriptor {}", fd));
  if (failed || !listens)
    throw std::invalid_argument(
        fmt::format("descriptor {} is not a {}", fd, failed ? "socket" : "listening socket"));
}

Accepted accept_from(int fd) noexcept {
  sockaddr_storage storage;
  socklen_t length = sizeof storage;
  Accepted accepted;
  accepted.fd.reset(static_cast<int>(retry_interrupted(
      [&] { return detail::accept_one(fd, reinterpret_cast<sockaddr*>(&storage), &length); })));
  if (accepted.fd) {
    accepted.peer = Address(reinterpret_cast<const sockaddr*>(&storage), length);
  } else {
    accepted.error = errno;
  }
  return accepted;
}

OwnedFd open_spare() noexcept { return OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

void set_nodelay(int fd, bool on) noexcept { set(fd, IPPROTO_TCP, TCP_NODELAY, on); }

void set_keepalive(int fd) noexcept {
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  for (const detail::TCPOption& option : detail::keepalive_times())
    set(fd, IPPROTO_TCP, option.name, option.value);
}

}  // namespace squall
