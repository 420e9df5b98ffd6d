#pragma once

#include <stdexcept>
#include <string>

namespace squall::http {

// What the peer sent is not what it should be, or more than is taken: thrown by who reads it.
class HTTPInputError : public std::runtime_error {
 public:
  HTTPInputError(int status, const std::string& reason) : std::runtime_error(reason), status_(status) {}

  // To answer a request by: 400, 408, 413, ...
  int status() const noexcept { return status_; }

 private:
  int status_;
};

}  // namespace squall::http
