#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

struct ssl_st;

namespace bench {

// Where the server is.
struct Target {
  std::uint16_t port = 0;  // of 127.0.0.1
  std::string unix_path;   // instead, if not empty
  bool tls = false;
};

// A non-blocking connection to the server, perhaps with TLS, whose handshake happens on the way.
class Connection {
 public:
  // From 127.0.0.1, or from another loopback address for those who need more ports than that has.
  explicit Connection(const Target& target, unsigned source = 1);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  int fd() const noexcept { return fd_; }
  // As recv(2) and send(2).
  ssize_t receive(char* space, std::size_t size) noexcept;
  ssize_t send(const char* data, std::size_t size) noexcept;
  // Whether the last call that had EAGAIN waits for room, not for bytes.
  bool wants_write() const noexcept { return wants_write_; }
  void end_sending() noexcept;
  // Closing it will send a reset, so that no port stays behind in TIME_WAIT.
  void reset_on_close() noexcept;

 private:
  ssize_t tls_result(int result) noexcept;

  int fd_;
  ssl_st* tls_ = nullptr;
  bool wants_write_ = false;
};

}  // namespace bench
