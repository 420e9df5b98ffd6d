#pragma once

#include <squall/http/message/status.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

// Thrown by a handler to answer with an error page of `status`. The message goes to the log, never to the
// client (WEB-60).
//
// `reason` replaces the status's own reason phrase in the status line. A status without content (204, 205,
// 304) is sent without a page. A status that is not the status of a response, such as 100 or 1000, becomes a
// 500.
class HTTPError : public std::runtime_error {
 public:
  explicit HTTPError(int status = 500, std::string message = {}, std::string reason = {})
      : std::runtime_error(text(status, message, reason)),
        status_(status),
        message_(std::move(message)),
        reason_(std::move(reason)) {}

  int status() const noexcept { return status_; }
  const std::string& message() const noexcept { return message_; }
  // Empty if the status's own reason phrase is sent.
  const std::string& reason() const noexcept { return reason_; }

 private:
  static std::string text(int status, const std::string& message, const std::string& reason) {
    std::string text =
        fmt::format("HTTP {}: {}", status, reason.empty() ? http::reason_phrase(status) : reason);
    if (!message.empty()) text += fmt::format(" ({})", message);
    return text;
  }

  int status_;
  std::string message_;
  std::string reason_;
};

// A required argument is missing: 400 (WEB-61).
class MissingArgumentError : public HTTPError {
 public:
  explicit MissingArgumentError(std::string name)
      : HTTPError(400, "Missing argument " + name), name_(std::move(name)) {}
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

// An argument has a value that is not of its type: 400. The message has the name, and the beginning of the
// value.
class InvalidArgumentError : public HTTPError {
 public:
  InvalidArgumentError(std::string name, std::string_view value)
      : HTTPError(400, fmt::format("Invalid argument {}: '{}'", name, value.substr(0, 40))),
        name_(std::move(name)) {}
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

// Thrown by a handler to end the request: the response is sent as written so far, with `last` behind it
// (WEB-62).
class Finish {
 public:
  explicit Finish(std::string last = {}) : last_(std::move(last)) {}
  const std::string& last() const noexcept { return last_; }

 private:
  std::string last_;
};

}  // namespace squall::web
