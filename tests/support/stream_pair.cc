#include "support/stream_pair.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "support/catch.h"

namespace squall::testing {

std::pair<OwnedFd, OwnedFd> tcp_pair() {
  ListenOptions options;
  options.address = "127.0.0.1";
  const std::vector<OwnedFd> listening = bind_sockets(0, options);
  RawPeer client(Address::local_of(listening[0].get()).port());
  Accepted accepted = accept_from(listening[0].get());
  REQUIRE(accepted.fd);
  OwnedFd other(::dup(client.fd()));
  set_nonblocking(other.get());
  set_nodelay(other.get());
  return {std::move(accepted.fd), std::move(other)};
}

std::pair<IOStream, IOStream> connected_pair(IOLoop& loop, IOStream::Options options) {
  auto [a, b] = tcp_pair();
  return {IOStream(std::move(a), options, loop), IOStream(std::move(b), options, loop)};
}

RawPeer::RawPeer(OwnedFd fd) : fd_(std::move(fd)) {}

RawPeer::RawPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  set_nodelay(fd_.get());
}

void RawPeer::send(std::string_view bytes) { REQUIRE(send_some(bytes) == bytes.size()); }

std::size_t RawPeer::send_some(std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count =
        ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) break;
    sent += static_cast<std::size_t>(count);
  }
  return sent;
}

void RawPeer::half_close() { ::shutdown(fd_.get(), SHUT_WR); }

void RawPeer::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

std::string RawPeer::received() {
  std::string all;
  drain(all);
  return all;
}

bool RawPeer::drain(std::string& all) {
  char buffer[64 * 1024];
  for (;;) {
    const auto count = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count == 0) return true;
    if (count < 0) return errno != EAGAIN && errno != EINTR;
    all.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace squall::testing
