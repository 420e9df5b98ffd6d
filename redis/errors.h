#pragma once

#include <squall/ioloop/base/errors.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::redis {

// The first word of an error reply.
constexpr std::string_view error_code_of(std::string_view text) noexcept {
  return text.substr(0, text.find(' '));
}

// The server broke the protocol, or sent more than the limits allow. The connection is closed.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The server refused a command whose answer was needed. what() is the server's text.
class ReplyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  // The first word of the text: `WRONGPASS`.
  std::string_view code() const noexcept { return error_code_of(what()); }
};

// A reply has another type than the program asked for.
class TypeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The server did not answer within ClientOptions::answer_timeout. The connection is closed.
class AnswerTimeoutError : public TimeoutError {
 public:
  explicit AnswerTimeoutError(const std::string& text) : std::runtime_error(text) {}
};

}  // namespace squall::redis
