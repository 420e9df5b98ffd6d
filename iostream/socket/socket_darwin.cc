#include <squall/iostream/socket/socket.h>

#include <squall/iostream/socket/accept_posix.h>
#include <squall/iostream/socket/file.h>
#include <squall/iostream/socket/socket_system.h>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>

namespace squall {

// The sockets have SO_NOSIGPIPE: raise_no_sigpipe().
int detail::send_flags(Followed) noexcept { return 0; }

int detail::accept_one(int fd, sockaddr* peer, socklen_t* size) noexcept {
  return accept_and_set_flags(fd, peer, size);
}

// TCP_KEEPALIVE is TCP_KEEPIDLE of other systems.
std::span<const detail::TCPOption> detail::keepalive_times() noexcept {
  static constexpr TCPOption kTimes[] = {{TCP_KEEPALIVE, 60}, {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}};
  return kTimes;
}

std::size_t unacknowledged_bytes(int fd) noexcept {
  int count = 0;
  socklen_t size = sizeof count;
  return ::getsockopt(fd, SOL_SOCKET, SO_NWRITE, &count, &size) == 0 && count > 0
             ? static_cast<std::size_t>(count)
             : 0;
}

ssize_t send_file(int socket, int file, std::uint64_t offset, std::size_t count) noexcept {
  for (;;) {
    auto sent = static_cast<off_t>(count);
    if (::sendfile(file, socket, static_cast<off_t>(offset), &sent, nullptr, 0) == 0) return sent;
    // A call that is interrupted, or that would wait, may have sent a part, and then counts it.
    if ((errno == EAGAIN || errno == EINTR) && sent > 0) return sent;
    if (errno == EINTR) continue;
    // Another kind of file, or of socket.
    if (errno == ENOTSUP || errno == EOPNOTSUPP || errno == ENOTSOCK) errno = EINVAL;
    return -1;
  }
}

bool bind_to_device(int fd, const std::string& name) noexcept {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return false;
  return ::setsockopt(fd, IPPROTO_IP, IP_BOUND_IF, &index, sizeof index) == 0 ||
         ::setsockopt(fd, IPPROTO_IPV6, IPV6_BOUND_IF, &index, sizeof index) == 0;
}

void choose_port_late(int) noexcept {}

void set_reuse_port(int fd) { detail::set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"); }

void set_defer_accept(int, TimeSpan) { detail::lacks_option("TCP_DEFER_ACCEPT"); }

// Darwin's value is 0 or 1: the system limits the requests under way.
void set_fast_open(int fd, int) { detail::set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, 1, "TCP_FASTOPEN"); }

}  // namespace squall
