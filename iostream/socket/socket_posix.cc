#include <squall/iostream/socket/socket.h>

#include <squall/iostream/socket/accept_posix.h>
#include <squall/iostream/socket/file.h>
#include <squall/iostream/socket/socket_system.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace squall {

int detail::send_flags(Followed) noexcept { return MSG_NOSIGNAL; }

int detail::accept_one(int fd, sockaddr* peer, socklen_t* size) noexcept {
  return accept_and_set_flags(fd, peer, size);
}

// POSIX has had these options since 2024.
std::span<const detail::TCPOption> detail::keepalive_times() noexcept {
#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
  static constexpr TCPOption kTimes[] = {{TCP_KEEPIDLE, 60}, {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}};
  return kTimes;
#else
  return {};
#endif
}

std::size_t unacknowledged_bytes(int) noexcept { return 0; }

ssize_t send_file(int, int, std::uint64_t, std::size_t) noexcept {
  errno = ENOSYS;
  return -1;
}

bool bind_to_device(int, const std::string&) noexcept { return false; }

void choose_port_late(int) noexcept {}

// Not of POSIX, but of most systems.
void set_reuse_port([[maybe_unused]] int fd) {
#ifdef SO_REUSEPORT
  detail::set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
#else
  detail::lacks_option("SO_REUSEPORT");
#endif
}

void set_defer_accept(int, TimeSpan) { detail::lacks_option("TCP_DEFER_ACCEPT"); }

void set_fast_open(int, int) { detail::lacks_option("TCP_FASTOPEN"); }

}  // namespace squall
