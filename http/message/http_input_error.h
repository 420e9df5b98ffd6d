#pragma once

#include <stdexcept>
#include <string>

namespace squall::http {

// The peer's message is malformed, or beyond a limit. Thrown by the functions that read a body.
class HTTPInputError : public std::runtime_error {
 public:
  HTTPInputError(int status, const std::string& reason) : std::runtime_error(reason), status_(status) {}

  // The status of the answer to such a request: 400, 408, 413, ...
  int status() const noexcept { return status_; }

 private:
  int status_;
};

}  // namespace squall::http
