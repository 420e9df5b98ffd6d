#pragma once

#include <squall/http/client/simple_http_client.h>
#include <squall/http/server/http_server_options.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/address.h>

#include <memory>

namespace squall::testing {

struct InProcessOptions {
  // Of the server. The URL decides on ServerRequest::protocol(), not `protocol`. Unlike the default of
  // HTTPServerOptions, the end of the client's bytes cancels the handler: this client never half-closes.
  http::HTTPServerOptions server{.half_closed = http::HTTPServerOptions::HalfClosed::is_gone};
  // Of the client. Two defaults differ from AsyncHTTPClient's: without a timeout of their own requests have
  // none, because a VirtualClock would skip to it, and max_clients is 1000.
  http::AsyncHTTPClient::Options client{.max_clients = 1000};
  // ServerRequest::remote_address() of all requests.
  Address peer = *Address::parse_ip("127.0.0.1");
};

// An HTTP client whose requests all reach one delegate of the same process, for every host and port, without
// a port, a name lookup and a network. Requests and responses are sent as HTTP: an HTTPServer and the client
// talk over a pair of connected sockets.
//
// Code under test that takes an AsyncHTTPClient can thus talk to a delegate that plays a remote service.
// https URLs need no certificate: ServerRequest::tls() is null.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the delegate and the loop. Destroying the client cancels the handlers of its requests.
// Errors:    as AsyncHTTPClient; std::invalid_argument for a connector among the options.
class InProcessHTTPClient final : public http::SimpleAsyncHTTPClient {
 public:
  explicit InProcessHTTPClient(http::ServerDelegate& delegate, InProcessOptions options = {},
                               IOLoop& loop = IOLoop::current());
  ~InProcessHTTPClient() override;

 private:
  class Servers;
  InProcessHTTPClient(std::unique_ptr<Servers> servers, Options options, IOLoop& loop);

  std::unique_ptr<Servers> servers_;
};

}  // namespace squall::testing
