#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/upgraded_connection.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <cstddef>
#include <memory>

namespace squall::http {

struct ClientCore;

// The HTTP client of Squall: see AsyncHTTPClient.
//
// Connections are kept and used again. The client notices when the server closes a kept connection. A
// server may close it just when a request is sent, before any byte of a response. The client then sends the
// request again on a new connection, if its method is idempotent or no byte of it was sent.
//
// Thread:    the loop's thread only.
// Lifetime:  as AsyncHTTPClient.
// Errors:    as AsyncHTTPClient.
class SimpleAsyncHTTPClient : public AsyncHTTPClient {
 public:
  explicit SimpleAsyncHTTPClient(Options options = Options(), IOLoop& loop = IOLoop::current());
  ~SimpleAsyncHTTPClient() override;

  // Asks the server to switch to another protocol (RFC 9110, 7.8): the Upgrade header of the request names
  // it. The client adds `Connection: Upgrade` unless the headers have it. Redirects, cookies, proxies (always
  // with a tunnel), timeouts and limits are as with fetch(), but no redirect leads from https to http, and a
  // Location may have the schemes ws and wss. The connection is a new one; once it is handed over it no
  // longer counts as a request of the client.
  //
  //     HTTPRequest request("http://example.test/chat");
  //     request.headers.add("Upgrade", "websocket");
  //     UpgradedConnection connection = co_await client.upgrade(std::move(request));
  //
  // Throws HTTPClientError with the response if its status is not 101, HTTPProtocolError for a 101 response
  // that does not name a protocol of the request, and otherwise as fetch(). Throws std::invalid_argument for
  // a request without an Upgrade header, or with a streaming_callback. In fetch() a 101 response is always
  // an HTTPProtocolError.
  Task<UpgradedConnection> upgrade(HTTPRequest request);

  void close() override;

  // ---- For diagnostics.

  // Requests that have a slot.
  std::size_t active() const noexcept;
  // Requests that wait for a slot.
  std::size_t waiting() const noexcept;
  std::size_t idle_connections() const noexcept;

 protected:
  Task<> perform(Fetch& fetch) override;

 private:
  Task<UpgradedConnection> run_upgrade(std::unique_ptr<Fetch> fetch);

  std::unique_ptr<ClientCore> core_;
  LoopHook close_all_;
};

}  // namespace squall::http
