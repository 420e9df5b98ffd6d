#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/ioloop/loop/ioloop.h>

#include <memory>
#include <string>

namespace squall::http {

// Fetches and waits, on a loop of its own: for programs and threads that have none (HCL-07).
//
//     HTTPClient client;
//     fmt::print("{}\n", client.fetch("http://127.0.0.1:8888/").body());
//
// Thread:    any, but one at a time, and none whose loop runs: fetch() throws std::logic_error there.
// Errors:    as AsyncHTTPClient::fetch().
class HTTPClient {
 public:
  using Options = AsyncHTTPClient::Options;

  HTTPClient() : HTTPClient(Options()) {}
  explicit HTTPClient(Options options);
  // With the client that `make` makes.
  explicit HTTPClient(const AsyncHTTPClient::Factory& make);
  ~HTTPClient();
  HTTPClient(const HTTPClient&) = delete;
  HTTPClient& operator=(const HTTPClient&) = delete;

  HTTPResponse fetch(HTTPRequest request, RaiseError raise_error = RaiseError::yes);
  HTTPResponse fetch(std::string url, RaiseError raise_error = RaiseError::yes) {
    return fetch(HTTPRequest(std::move(url)), raise_error);
  }
  // fetch() throws std::runtime_error from now on.
  void close() { client_->close(); }

 private:
  static IOLoop::Options loop_options();

  IOLoop loop_;
  std::unique_ptr<AsyncHTTPClient> client_;
};

}  // namespace squall::http
