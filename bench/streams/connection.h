#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

struct ssl_st;

namespace bench {

// The address of the server.
struct Target {
  std::uint16_t port = 0;  // of 127.0.0.1
  std::string unix_path;   // used instead of the port if not empty
  bool tls = false;
};

// A non-blocking connection to the server. With TLS, the first reads and writes do the handshake.
class Connection {
 public:
  // Connects from 127.0.0.SOURCE: a load may need more ports than one address has.
  explicit Connection(const Target& target, unsigned source = 1);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  int fd() const noexcept { return fd_; }
  // Results and errno as of recv(2) and send(2).
  ssize_t receive(char* space, std::size_t size) noexcept;
  ssize_t send(const char* data, std::size_t size) noexcept;
  // True if the last call that gave EAGAIN waits for the socket to be writable, not readable.
  bool wants_write() const noexcept { return wants_write_; }
  void end_sending() noexcept;
  // Makes close() send a reset, so that no port stays in TIME_WAIT.
  void reset_on_close() noexcept;

 private:
  ssize_t tls_result(int result) noexcept;

  int fd_;
  ssl_st* tls_ = nullptr;
  bool wants_write_ = false;
};

}  // namespace bench
