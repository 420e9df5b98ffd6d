#include <squall/websocket/client/websocket_connect.h>

#include <squall/http/client/simple_http_client.h>
#include <squall/http/client/upgraded_connection.h>
#include <squall/http/message/url.h>
#include <squall/websocket/client/client_handshake.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

using http::HTTPClientError;
using http::HTTPRequest;
using http::SimpleAsyncHTTPClient;
using http::UpgradedConnection;

// Of an error page.
constexpr std::size_t kMaxAnswerBody = 1024 * 1024;

void apply(const ConnectOptions& options, HTTPRequest& request) {
  if (options.client && (options.cookie_jar || options.resolver))
    throw std::invalid_argument("cookie_jar and resolver are options of the client that was given");
  if (!options.connect_timeout.is_open()) {
    if (!request.connect_timeout.is_open() || !request.request_timeout.is_open())
      throw std::invalid_argument("The timeouts of the request are set, so connect_timeout must not be");
    request.connect_timeout = options.connect_timeout;
    request.request_timeout = options.connect_timeout;
  }
  if (!request.follow_redirects) request.follow_redirects = false;
  if (!request.decompress_response) request.decompress_response = false;
  if (!request.max_body_size) request.max_body_size = kMaxAnswerBody;
}

http::AsyncHTTPClient::Options client_options(const ConnectOptions& options) {
  http::AsyncHTTPClient::Options result;
  result.cookie_jar = options.cookie_jar;
  result.resolver = options.resolver;
  return result;
}

// SimpleAsyncHTTPClient::upgrade(), with the errors of a WebSocket.
Task<UpgradedConnection> upgrade(SimpleAsyncHTTPClient& client, HTTPRequest request) {
  try {
    UpgradedConnection connection = co_await client.upgrade(std::move(request));
    co_return connection;
  } catch (const HTTPClientError& error) {
    if (!error.response() || !error.response()->ok()) throw;
    throw WebSocketError("Non-websocket response", *error.response());
  }
}

}  // namespace

Task<std::unique_ptr<WebSocketConnection>> websocket_connect(HTTPRequest request, ConnectOptions options) {
  const ClientHandshake handshake(options);
  handshake.prepare(request);
  apply(options, request);
  std::optional<SimpleAsyncHTTPClient> own;  // destroyed behind the task that uses it
  if (!options.client) own.emplace(client_options(options));
  SimpleAsyncHTTPClient& client = options.client ? *options.client : *own;
  UpgradedConnection connection = co_await upgrade(client, std::move(request));
  ConnectionTerms terms;
  if (auto fault = handshake.check(connection.response.headers(), terms))
    throw WebSocketError(*std::move(fault), std::move(connection.response));
  co_return std::make_unique<WebSocketConnection>(std::move(connection.stream), Role::client,
                                                  std::move(terms), options.connection);
}

// GCC 12 destroys a temporary aggregate in the caller's statement twice, so the options are not a default
// argument.
Task<std::unique_ptr<WebSocketConnection>> websocket_connect(HTTPRequest request) {
  return websocket_connect(std::move(request), ConnectOptions());
}

Task<std::unique_ptr<WebSocketConnection>> websocket_connect(std::string url, ConnectOptions options) {
  return websocket_connect(HTTPRequest(std::move(url)), std::move(options));
}

Task<std::unique_ptr<WebSocketConnection>> websocket_connect(std::string url) {
  return websocket_connect(HTTPRequest(std::move(url)), ConnectOptions());
}

void check_connect(HTTPRequest request, const ConnectOptions& options) {
  ClientHandshake(options).prepare(request);
  apply(options, request);
  static_cast<void>(http::URL(request.url));
}

}  // namespace squall::websocket
