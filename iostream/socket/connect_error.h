#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/iostream/address/address.h>

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace squall {

// One address that was tried.
struct ConnectAttempt {
  Address address;
  std::error_code error;  // none: it has not answered
};

// No connection came about. code() is the system's reason, that of the attempt that failed last (TCL-13).
//
//     Cannot connect to example.test:80: 127.0.0.1:80: Connection refused; [::1]:80: Network is unreachable
class ConnectError : public std::system_error {
 public:
  // `attempts`, in the order in which they began, have all failed; `last` is the error of the last one to.
  ConnectError(std::string host, std::uint16_t port, std::error_code last,
               std::vector<ConnectAttempt> attempts = {});

  // What was asked for; of a Unix socket the path, and port 0.
  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  const std::vector<ConnectAttempt>& attempts() const noexcept { return attempts_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string host_;
  std::uint16_t port_;
  std::vector<ConnectAttempt> attempts_;
  std::string what_;
};

// What making a connection was busy with.
enum class ConnectPhase : std::uint8_t { resolution, connection, handshake };

// There was no connection in time (TCL-14).
//
//     Timeout connecting to example.test:80: 127.0.0.1:80: Connection refused; [::1]:80: no answer
class ConnectTimeoutError : public TimeoutError {
 public:
  ConnectTimeoutError(std::string host, std::uint16_t port, ConnectPhase phase,
                      std::vector<ConnectAttempt> attempts = {});

  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  ConnectPhase phase() const noexcept { return phase_; }
  const std::vector<ConnectAttempt>& attempts() const noexcept { return attempts_; }

 private:
  std::string host_;
  std::uint16_t port_;
  ConnectPhase phase_;
  std::vector<ConnectAttempt> attempts_;
};

}  // namespace squall
