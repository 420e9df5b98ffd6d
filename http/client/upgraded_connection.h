#pragma once

#include <squall/http/client/http_response.h>
#include <squall/iostream/stream/iostream.h>

#include <utility>

namespace squall::http {

// The result of SimpleAsyncHTTPClient::upgrade(): a connection that now has another protocol.
//
// Thread:    the client's loop.
// Lifetime:  independent of the client. Destroying it closes the connection.
struct UpgradedConnection {
  UpgradedConnection(HTTPResponse response, IOStream stream)
      : response(std::move(response)), stream(std::move(stream)) {}

  HTTPResponse response;  // with status 101
  IOStream stream;        // its first read finds the bytes that the server sent behind the head
};

}  // namespace squall::http
