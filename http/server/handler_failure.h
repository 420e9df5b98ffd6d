#pragma once

#include <squall/http/server/exchange.h>

#include <cstdint>
#include <exception>
#include <string>

namespace squall::http {

// What an exception that came out of a handler means for its request: the one place that decides this.
struct HandlerFailure {
  enum class Kind : std::uint8_t {
    client_gone,  // StreamClosedError, and the exchange is closed: nobody can be answered
    bad_input,    // HTTPInputError: the client is answered with `status`
    error,        // anything else: the client is answered with 500
  };

  // `error` is not null. A StreamClosedError while the exchange is open comes from a stream of the handler's
  // own, and is an error like any other.
  static HandlerFailure of(const std::exception_ptr& error, const Exchange& exchange);

  Kind kind = Kind::error;
  int status = 500;
  std::string text;  // for the log: what() of the exception
};

}  // namespace squall::http
