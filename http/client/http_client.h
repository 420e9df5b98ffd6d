#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/ioloop/loop/ioloop.h>

#include <memory>
#include <string>
#include <utility>

namespace squall::http {

// A client that blocks, on a loop of its own: for programs and threads without a loop (HCL-07).
//
//     HTTPClient client;
//     fmt::print("{}\n", client.fetch("http://127.0.0.1:8888/").body());
//
// Thread:    any, one at a time. On a thread whose loop runs fetch() throws std::logic_error.
// Errors:    as AsyncHTTPClient::fetch().
class HTTPClient {
 public:
  using Options = AsyncHTTPClient::Options;

  HTTPClient() : HTTPClient(Options()) {}
  explicit HTTPClient(Options options);
  // Uses the client that `make` returns.
  explicit HTTPClient(const AsyncHTTPClient::Factory& make);
  ~HTTPClient();
  HTTPClient(const HTTPClient&) = delete;
  HTTPClient& operator=(const HTTPClient&) = delete;

  HTTPResponse fetch(HTTPRequest request, RaiseError raise_error = RaiseError::yes);
  HTTPResponse fetch(std::string url, RaiseError raise_error = RaiseError::yes) {
    return fetch(HTTPRequest(std::move(url)), raise_error);
  }
  // Afterwards fetch() throws HTTPClientClosedError.
  void close() { client_->close(); }

 private:
  static IOLoop::Options loop_options();

  IOLoop loop_;
  std::unique_ptr<AsyncHTTPClient> client_;
};

}  // namespace squall::http
