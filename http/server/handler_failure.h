#pragma once

#include <squall/http/server/exchange.h>

#include <cstdint>
#include <exception>
#include <string>

namespace squall::http {

// Decides how the server answers a request whose handler threw an exception. No other code decides this.
struct HandlerFailure {
  enum class Kind : std::uint8_t {
    client_gone,  // StreamClosedError, and the exchange is closed: no response can be sent
    bad_input,    // HTTPInputError: the client is answered with `status`
    error,        // anything else: the client is answered with 500
  };

  // `error` is not null. A StreamClosedError while the exchange is open comes from another stream of the
  // handler, and counts as Kind::error.
  static HandlerFailure of(const std::exception_ptr& error, const Exchange& exchange);

  Kind kind = Kind::error;
  int status = 500;
  std::string text;  // for the log: what() of the exception
};

}  // namespace squall::http
