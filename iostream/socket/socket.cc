#include <squall/iostream/socket/socket.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/iostream/socket/io_vectors.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace squall {
namespace {

#ifdef MSG_MORE
constexpr int kMore = MSG_MORE;
#else
constexpr int kMore = 0;
#endif

constexpr int flags_for(Followed followed) noexcept {
  return MSG_NOSIGNAL | (followed == Followed::by_end ? kMore : 0);
}

void set_option(int fd, int level, int option, int value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) throw_errno(name);
}

// Asks for a count of bytes; 0 if the system refuses.
std::size_t count_bytes(int fd, unsigned long question) noexcept {
  int count = 0;
  return ::ioctl(fd, question, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

// For systems without the option.
[[noreturn, maybe_unused]] void lacks(int, const char* name) {
  throw std::system_error(ENOPROTOOPT, std::generic_category(), name);
}

}  // namespace

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

std::size_t arrived_bytes(int fd) noexcept { return count_bytes(fd, FIONREAD); }

std::size_t unacknowledged_bytes([[maybe_unused]] int fd) noexcept {
#ifdef TIOCOUTQ
  return count_bytes(fd, TIOCOUTQ);
#else
  return 0;
#endif
}

int pending_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

[[gnu::hot]] ssize_t send_to(int fd, std::string_view piece, Followed followed) noexcept {
  const int flags = flags_for(followed);
  return retry_interrupted([&] { return ::send(fd, piece.data(), piece.size(), flags); });
}

ssize_t send_to(int fd, std::span<const std::string_view> pieces, Followed followed) noexcept {
  if (pieces.size() == 1) return send_to(fd, pieces.front(), followed);
  const int flags = flags_for(followed);
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

bool bind_to_device([[maybe_unused]] int fd, [[maybe_unused]] const std::string& name) noexcept {
#ifdef SO_BINDTODEVICE
  return ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(), static_cast<socklen_t>(name.size())) == 0;
#else
  return false;
#endif
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

void set_reuse_port(int fd) {
#ifdef SO_REUSEPORT
  set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
#else
  lacks(fd, "SO_REUSEPORT");
#endif
}

void set_defer_accept(int fd, TimeSpan wait) {
  // In whole seconds, at least one.
  const auto rounded = std::chrono::ceil<std::chrono::seconds>(wait).count();
  const auto seconds = static_cast<int>(std::clamp<std::chrono::seconds::rep>(rounded, 1, INT_MAX));
#ifdef TCP_DEFER_ACCEPT
  set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds, "TCP_DEFER_ACCEPT");
#else
  lacks(seconds, "TCP_DEFER_ACCEPT");
#endif
}

void set_fast_open(int fd, int queue_length) {
#ifdef TCP_FASTOPEN
  set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, queue_length, "TCP_FASTOPEN");
#else
  lacks(queue_length, "TCP_FASTOPEN");
#endif
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
  accepted.fd.reset(static_cast<int>(retry_interrupted([&] {
    return ::accept4(fd, reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  })));
  if (accepted.fd) {
    accepted.peer = Address(reinterpret_cast<const sockaddr*>(&storage), length);
  } else {
    accepted.error = errno;
  }
  return accepted;
}

OwnedFd open_spare() noexcept { return OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

void set_nodelay(int fd, bool on) noexcept {
  const int value = on;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

void set_keepalive(int fd) noexcept {
  const auto set = [fd](int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
#endif
#ifdef TCP_KEEPINTVL
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
#endif
}

}  // namespace squall
