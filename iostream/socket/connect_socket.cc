#include <squall/iostream/socket/connect_socket.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/ioloop/coro/wait_ready.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/address/unix_address.h>
#include <squall/iostream/socket/socket.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace squall {
namespace {

using namespace std::chrono_literals;

// Pauses between attempts while a Unix listener's queue is full: the kernel does not report free places.
constexpr auto kFirstPause = 1ms;
constexpr auto kLongestPause = 50ms;

[[noreturn]] void fail(int error, const char* call) {
  throw std::system_error(error, std::generic_category(), call);
}

OwnedFd open_socket(int family) {
  OwnedFd fd = new_socket(family, SOCK_STREAM);
  if (!fd) throw_errno("socket");
  return fd;
}

// The wildcard address of a family.
Address any_address(int family, std::uint16_t port) noexcept {
  const char zeros[sizeof(in6_addr)] = {};
  return Address::from_bytes({zeros, family == AF_INET6 ? sizeof(in6_addr) : sizeof(in_addr)}, port);
}

void bind_local_end(int fd, int family, LocalEnd local) {
  // Where the socket cannot be bound to the interface, an address of the interface is the next best: it makes
  // most systems choose the interface.
  if (local.interface && !bind_to_device(fd, *local.interface) && !local.address)
    local.address = address_of_interface(*local.interface, family);
  if (!local.address && !local.port) return;
  const int on = 1;
  if (local.port) {
    // Allows connections from one port to several peers, and to the peer of a connection that has just ended.
    if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) throw_errno("SO_REUSEADDR");
  } else {
    choose_port_late(fd);
  }
  Address from = local.address ? *local.address : any_address(family, 0);
  if (local.port) from = from.with_port(*local.port);
  if (::bind(fd, from.data(), from.size()) != 0) throw_errno("bind");
}

// One connect(), repeated after interruptions: 0, or the errno.
int begin_connect(int fd, const sockaddr* peer, socklen_t size) noexcept {
  for (;;) {
    if (::connect(fd, peer, size) == 0 || errno == EISCONN) return 0;
    if (errno == EALREADY) return EINPROGRESS;  // an interrupted connect() continues
    if (errno != EINTR) return errno;
  }
}

void check_connected(int fd) {
  if (const int error = pending_error(fd)) fail(error, "connect");
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (::getpeername(fd, address, &length) != 0) throw_errno("connect");
  // A socket is connected to itself if its own port equals the peer's port and no server listens there.
  const Address peer(address, length);
  if (peer.is_ip() && peer == Address::local_of(fd)) fail(ECONNREFUSED, "connect");
}

// Waits for the outcome; `error` is the result of begin_connect().
Task<> finish_connect(int fd, int error) {
  if (error != 0 && error != EINPROGRESS) fail(error, "connect");
  if (error == EINPROGRESS) co_await wait_writable(fd);
  check_connected(fd);
}

}  // namespace

Task<OwnedFd> connect_socket(Address peer, LocalEnd local) {
  if (peer.size() == 0) fail(EAFNOSUPPORT, "connect");
  OwnedFd fd = open_socket(peer.family());
  bind_local_end(fd.get(), peer.family(), local);
  const int error = begin_connect(fd.get(), peer.data(), peer.size());
  co_await finish_connect(fd.get(), error);
  co_return std::move(fd);
}

Task<OwnedFd> connect_unix_socket(std::string name) {
  const UnixAddress peer(name);
  OwnedFd fd = open_socket(AF_UNIX);
  int error = begin_connect(fd.get(), peer.data(), peer.size());
  for (IOLoop::Duration pause = kFirstPause; error == EAGAIN;) {
    co_await sleep(pause);
    pause = std::min<IOLoop::Duration>(2 * pause, kLongestPause);
    error = begin_connect(fd.get(), peer.data(), peer.size());
  }
  co_await finish_connect(fd.get(), error);
  co_return std::move(fd);
}

}  // namespace squall
