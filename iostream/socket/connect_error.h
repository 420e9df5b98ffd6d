#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/iostream/address/address.h>

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace squall {

// One attempt to connect to an address.
struct ConnectAttempt {
  Address address;
  std::error_code error;  // empty: the address has not answered yet
};

// All attempts to connect have failed. code() is the system's reason for the last failure (TCL-13).
//
//     Cannot connect to example.test:80: 127.0.0.1:80: Connection refused; [::1]:80: Network is unreachable
class ConnectError : public std::system_error {
 public:
  // `attempts` are in the order of their beginning; `last` is the error of the attempt that failed last.
  ConnectError(std::string host, std::optional<std::uint16_t> port, std::error_code last,
               std::vector<ConnectAttempt> attempts = {});

  // The host and port of the call; for a Unix socket its path and no port.
  const std::string& host() const noexcept { return host_; }
  std::optional<std::uint16_t> port() const noexcept { return port_; }
  const std::vector<ConnectAttempt>& attempts() const noexcept { return attempts_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string host_;
  std::optional<std::uint16_t> port_;
  std::vector<ConnectAttempt> attempts_;
  std::string what_;
};

// The stage of making a connection.
enum class ConnectPhase : std::uint8_t { resolution, connection, handshake };

// The connection was not ready at the deadline (TCL-14).
//
//     Timeout connecting to example.test:80: 127.0.0.1:80: Connection refused; [::1]:80: no answer
class ConnectTimeoutError : public TimeoutError {
 public:
  ConnectTimeoutError(std::string host, std::optional<std::uint16_t> port, ConnectPhase phase,
                      std::vector<ConnectAttempt> attempts = {});

  const std::string& host() const noexcept { return host_; }
  std::optional<std::uint16_t> port() const noexcept { return port_; }
  ConnectPhase phase() const noexcept { return phase_; }
  const std::vector<ConnectAttempt>& attempts() const noexcept { return attempts_; }

 private:
  std::string host_;
  std::optional<std::uint16_t> port_;
  ConnectPhase phase_;
  std::vector<ConnectAttempt> attempts_;
};

}  // namespace squall
