#pragma once

#include <squall/iostream/address/errors.h>

#include <system_error>

namespace squall::websocket {

// A message was to be sent on a connection that is closing or closed (WSK-96). It is a StreamClosedError, so
// that the server does not log it as an error of the handler.
class WebSocketClosedError : public StreamClosedError {
 public:
  using StreamClosedError::StreamClosedError;
};

}  // namespace squall::websocket
