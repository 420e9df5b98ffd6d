#include "connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef SQUALL_BENCH_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in loopback(unsigned host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl((127U << 24U) | host);
  address.sin_port = htons(port);
  return address;
}

int connect_tcp(std::uint16_t port, unsigned source) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (source != 1) {
    // The kernel chooses the port at connect(), and may reuse it for another server
    // (IP_BIND_ADDRESS_NO_PORT).
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const sockaddr_in own = loopback(source, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) fail("bind");
  }
  const sockaddr_in server = loopback(1, port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) fail("connect");
  return fd;
}

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::invalid_argument("the path is too long");
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  return fd;
}

#ifdef SQUALL_BENCH_OPENSSL
// Verifies no certificate and resumes no session: each handshake is a full one.
SSL_CTX* client_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(
        made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    return made;
  }();
  return context;
}
#endif

}  // namespace

// connect() blocks: over loopback only the kernel takes part in it, as long as the accept queue has room.
Connection::Connection(const Target& target, unsigned source)
    : fd_(target.unix_path.empty() ? connect_tcp(target.port, source) : connect_unix(target.unix_path)) {
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
#ifdef SQUALL_BENCH_OPENSSL
  if (!target.tls) return;
  tls_ = SSL_new(client_context());
  SSL_set_fd(tls_, fd_);
  SSL_set_connect_state(tls_);
#else
  if (target.tls) throw std::invalid_argument("--tls needs a build with OpenSSL");
#endif
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      tls_(std::exchange(other.tls_, nullptr)),
      wants_write_(other.wants_write_) {}

Connection::~Connection() {
#ifdef SQUALL_BENCH_OPENSSL
  SSL_free(tls_);
#endif
  if (fd_ >= 0) ::close(fd_);
}

ssize_t Connection::receive(char* space, std::size_t size) noexcept {
#ifdef SQUALL_BENCH_OPENSSL
  if (tls_) return tls_result(SSL_read(tls_, space, static_cast<int>(size)));
#endif
  wants_write_ = false;
  return ::recv(fd_, space, size, 0);
}

ssize_t Connection::send(const char* data, std::size_t size) noexcept {
#ifdef SQUALL_BENCH_OPENSSL
  if (tls_) return tls_result(SSL_write(tls_, data, static_cast<int>(size)));
#endif
  wants_write_ = true;
  return ::send(fd_, data, size, MSG_NOSIGNAL);
}

ssize_t Connection::tls_result([[maybe_unused]] int result) noexcept {
#ifdef SQUALL_BENCH_OPENSSL
  if (result > 0) return result;
  const int error = SSL_get_error(tls_, result);
  ERR_clear_error();
  wants_write_ = error == SSL_ERROR_WANT_WRITE;
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ || wants_write_ ? EAGAIN : EPROTO;
#endif
  return -1;
}

void Connection::end_sending() noexcept {
#ifdef SQUALL_BENCH_OPENSSL
  if (tls_) SSL_shutdown(tls_);
#endif
  ::shutdown(fd_, SHUT_WR);
}

void Connection::reset_on_close() noexcept {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace bench
