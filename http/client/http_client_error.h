#pragma once

#include <squall/http/client/fetch_phase.h>
#include <squall/http/client/http_response.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

namespace squall::http {

// A fetch that failed (HCL-41): the response has an error's status, or there is none.
//
//     HTTP 404: Not Found
//     HTTP 599: Connection refused (connecting to 127.0.0.1:81)
class HTTPClientError : public std::runtime_error {
 public:
  static constexpr int kNoResponse = 599;

  struct Failure {
    FetchPhase phase = FetchPhase::request;
    std::string peer;         // address and port; empty before there was one
    std::error_code error{};  // what the system said, if anything
    std::exception_ptr cause{};
  };

  // For a response that is one.
  explicit HTTPClientError(HTTPResponse response);
  HTTPClientError(std::string message, Failure failure);

  // The response's status; kNoResponse without one.
  int code() const noexcept { return code_; }
  // The reason, or what went wrong, without code and peer.
  const std::string& message() const noexcept { return message_; }
  // Null if there is none.
  const HTTPResponse* response() const noexcept { return response_.get(); }
  FetchPhase phase() const noexcept { return failure_.phase; }
  const std::string& peer() const noexcept { return failure_.peer; }
  const std::error_code& error() const noexcept { return failure_.error; }
  // The exception behind this one; null if there is none.
  const std::exception_ptr& cause() const noexcept { return failure_.cause; }

 private:
  int code_;
  std::string message_;
  Failure failure_;
  std::shared_ptr<const HTTPResponse> response_;
};

// It took too long: phase() says what (SHC-01 to SHC-03).
class HTTPTimeoutError : public HTTPClientError {
 public:
  using HTTPClientError::HTTPClientError;
};

// The connection ended before the response did (SHC-04).
class HTTPStreamClosedError : public HTTPClientError {
 public:
  using HTTPClientError::HTTPClientError;
};

// What came is no HTTP response.
class HTTPProtocolError : public HTTPClientError {
 public:
  using HTTPClientError::HTTPClientError;
};

// The response's body is larger than max_body_size.
class HTTPBodyTooLargeError : public HTTPClientError {
 public:
  using HTTPClientError::HTTPClientError;
};

// The client was closed, or destroyed, before the response was there.
class HTTPClientClosedError : public HTTPClientError {
 public:
  using HTTPClientError::HTTPClientError;
};

}  // namespace squall::http
