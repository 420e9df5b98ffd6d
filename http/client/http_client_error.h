#pragma once

#include <squall/http/client/fetch_phase.h>
#include <squall/http/client/http_response.h>
#include <squall/ioloop/base/errors.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

namespace squall::http {

// A fetch failed (HCL-41): the status of the response is not 2xx, or there is no response.
//
//     HTTP 404: Not Found
//     HTTP 599: Connection refused (connecting to 127.0.0.1:81)
class HTTPClientError : public virtual std::runtime_error {
 public:
  // The status of an error without a response, as Tornado has it.
  static constexpr int kNoResponse = HTTPResponse::kNoStatus;

  struct Failure {
    FetchPhase phase = FetchPhase::request;
    std::string peer{};          // address and port; empty before it was known
    std::error_code code{};      // of the system; zero without a system error
    std::exception_ptr cause{};  // null without another exception
  };

  // For a response whose status is an error.
  explicit HTTPClientError(HTTPResponse response);
  HTTPClientError(std::string message, Failure failure);
  // For a response that is not what was asked for, although its status may be no error.
  HTTPClientError(std::string message, HTTPResponse response);

  // The status of the response; kNoResponse without one.
  int status() const noexcept { return status_; }
  // The failure, without status and peer; otherwise the reason of the response.
  const std::string& message() const noexcept { return message_; }
  // Null without a response.
  const HTTPResponse* response() const noexcept { return response_.get(); }
  // The phase in which the fetch failed.
  FetchPhase phase() const noexcept { return failure_.phase; }
  const std::string& peer() const noexcept { return failure_.peer; }
  const std::error_code& code() const noexcept { return failure_.code; }
  // The exception that made the fetch fail; null without one.
  const std::exception_ptr& cause() const noexcept { return failure_.cause; }

 private:
  int status_;
  std::string message_;
  Failure failure_;
  std::shared_ptr<const HTTPResponse> response_;
};

// A timeout of the fetch passed; phase() says which (SHC-01 to SHC-03).
class HTTPTimeoutError : public HTTPClientError, public TimeoutError {
 public:
  HTTPTimeoutError(std::string message, Failure failure);
};

// The connection ended before the response was complete (SHC-04).
class HTTPStreamClosedError : public HTTPClientError {
 public:
  HTTPStreamClosedError(std::string message, Failure failure);
};

// The server did not send a valid HTTP response.
class HTTPProtocolError : public HTTPClientError {
 public:
  HTTPProtocolError(std::string message, Failure failure);
};

// The body of the response is larger than max_body_size.
class HTTPBodyTooLargeError : public HTTPClientError {
 public:
  HTTPBodyTooLargeError(std::string message, Failure failure);
};

// The client was closed or destroyed before the response was complete.
class HTTPClientClosedError : public HTTPClientError {
 public:
  HTTPClientClosedError(std::string message, Failure failure);
};

}  // namespace squall::http
