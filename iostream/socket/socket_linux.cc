#include <squall/iostream/socket/socket.h>

#include <squall/ioloop/base/sigpipe.h>
#include <squall/iostream/socket/file.h>
#include <squall/iostream/socket/socket_system.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

namespace squall {

int detail::send_flags(Followed followed) noexcept {
  return MSG_NOSIGNAL | (followed == Followed::by_end ? MSG_MORE : 0);
}

int detail::accept_one(int fd, sockaddr* peer, socklen_t* size) noexcept {
  return ::accept4(fd, peer, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

std::span<const detail::TCPOption> detail::keepalive_times() noexcept {
  static constexpr TCPOption kTimes[] = {{TCP_KEEPIDLE, 60}, {TCP_KEEPINTVL, 15}, {TCP_KEEPCNT, 4}};
  return kTimes;
}

std::size_t unacknowledged_bytes(int fd) noexcept {
  int count = 0;
  return ::ioctl(fd, TIOCOUTQ, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

ssize_t send_file(int socket, int file, std::uint64_t offset, std::size_t count) noexcept {
  auto from = static_cast<off_t>(offset);
  return without_sigpipe([&] { return ::sendfile(socket, file, &from, count); });
}

bool bind_to_device(int fd, const std::string& name) noexcept {
  return ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(), static_cast<socklen_t>(name.size())) == 0;
}

void choose_port_late(int fd) noexcept {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
}

void set_reuse_port(int fd) { detail::set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"); }

void set_defer_accept(int fd, TimeSpan wait) {
  const auto rounded = std::chrono::ceil<std::chrono::seconds>(wait).count();
  const auto seconds = static_cast<int>(std::clamp<std::chrono::seconds::rep>(rounded, 1, INT_MAX));
  detail::set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds, "TCP_DEFER_ACCEPT");
}

void set_fast_open(int fd, int queue_length) {
  detail::set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, queue_length, "TCP_FASTOPEN");
}

}  // namespace squall
