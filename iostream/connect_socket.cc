#include <squall/iostream/connect_socket.h>

#include <squall/ioloop/errors.h>
#include <squall/ioloop/sleep.h>
#include <squall/ioloop/wait_ready.h>
#include <squall/iostream/socket.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace squall {
namespace {

using namespace std::chrono_literals;

// How often a Unix listener whose queue is full is asked again: the kernel does not tell when there is room.
constexpr auto kFirstPause = 1ms;
constexpr auto kLongestPause = 50ms;

struct Destination {
  Destination(const sockaddr* address, socklen_t length) noexcept : size(length) {
    std::memcpy(&storage, address, length);
  }
  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t size;
};

[[noreturn]] void fail(int error, const char* call) {
  throw std::system_error(error, std::generic_category(), call);
}

OwnedFd open_socket(int family) {
  OwnedFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw_errno("socket");
  return fd;
}

// The wildcard address of a family.
Address any_address(int family, std::uint16_t port) noexcept {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  return family == AF_INET6 ? Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6)
                            : Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

void bind_local_end(int fd, int family, const LocalEnd& local) {
  const bool any = local.address.family() == AF_UNSPEC;
  if (any && local.port == 0) return;
  const int on = 1;
  if (local.port != 0) {
    // Connections from one port to several places, or to one that the last connection has just left.
    if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) throw_errno("SO_REUSEADDR");
  } else {
#ifdef IP_BIND_ADDRESS_NO_PORT
    // The port is chosen when the peer is known, so that there are as many a peer as there are ports. Without
    // it there are fewer, no more.
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
  }
  const Address from = any ? any_address(family, local.port) : local.address;
  if (::bind(fd, from.data(), from.size()) != 0) throw_errno("bind");
}

// One connect(), repeated if it was interrupted: 0, or the errno.
int begin_connect(int fd, const Destination& peer) noexcept {
  for (;;) {
    if (::connect(fd, peer.data(), peer.size) == 0 || errno == EISCONN) return 0;
    if (errno == EALREADY) return EINPROGRESS;  // an interrupted one goes on
    if (errno != EINTR) return errno;
  }
}

// With the port that it was to connect to as its own, and nobody listening there, a socket's two ends meet.
bool is_connected_to_itself(int fd, const Address& peer) {
  const Address local = Address::local_of(fd);
  return local.port() == peer.port() && local.family() == peer.family() && local.ip() == peer.ip();
}

void check_connected(int fd) {
  if (const int error = pending_error(fd)) fail(error, "connect");
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (::getpeername(fd, address, &length) != 0) throw_errno("connect");
  if (storage.ss_family == AF_UNIX) return;
  if (is_connected_to_itself(fd, Address(address, length))) fail(ECONNREFUSED, "connect");
}

Task<> connect_to(int fd, Destination peer) {
  IOLoop::Duration pause = kFirstPause;
  int error = begin_connect(fd, peer);
  // Only a Unix listener's queue is full; of TCP this means that there is no port left.
  while (error == EAGAIN && peer.storage.ss_family == AF_UNIX) {
    co_await sleep(pause);
    pause = std::min<IOLoop::Duration>(2 * pause, kLongestPause);
    error = begin_connect(fd, peer);
  }
  if (error != 0 && error != EINPROGRESS) fail(error, "connect");
  if (error == EINPROGRESS) co_await wait_writable(fd);
  check_connected(fd);
}

Destination unix_destination(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_abstract = !path.empty() && path[0] == '\0';
  // A path ends with a NUL, and has no other; of an abstract name all bytes count.
  const std::size_t length = path.size() + (is_abstract ? 0 : 1);
  if (length < 2 || (!is_abstract && path.find('\0') != path.npos)) fail(EINVAL, "connect");
  if (length > sizeof address.sun_path) fail(ENAMETOOLONG, "connect");
  path.copy(address.sun_path, path.size());
  return Destination(reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

}  // namespace

Task<OwnedFd> connect_socket(Address peer, LocalEnd local) {
  if (peer.size() == 0) fail(EAFNOSUPPORT, "connect");
  OwnedFd fd = open_socket(peer.family());
  bind_local_end(fd.get(), peer.family(), local);
  const Destination destination(peer.data(), peer.size());
  co_await connect_to(fd.get(), destination);
  co_return std::move(fd);
}

Task<OwnedFd> connect_unix_socket(std::string path) {
  const Destination destination = unix_destination(path);
  OwnedFd fd = open_socket(AF_UNIX);
  co_await connect_to(fd.get(), destination);
  co_return std::move(fd);
}

}  // namespace squall
