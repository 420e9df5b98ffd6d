#pragma once

#include <squall/http/client/http_client_error.h>
#include <squall/http/client/http_request.h>
#include <squall/http/client/http_response.h>
#include <squall/http/message/cookie_jar.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/resolver.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace squall {
class IOStream;
}

namespace squall::http {

class Fetch;

// Whether fetch() throws for a response whose status is not 2xx (HCL-04).
enum class RaiseError : bool { no, yes };

// An HTTP client for HTTP/1.1 and 1.0.
//
//     HTTPResponse response = co_await http_client().fetch("http://127.0.0.1:8888/");
//     fmt::print("{}\n", response.body());
//
// Each loop has a client, current(), and all code on the loop shares its connections. A client with options
// of its own is a SimpleAsyncHTTPClient or a CurlAsyncHTTPClient.
//
// The client follows redirects as browsers do (SHC-40 to SHC-42). Once a redirect has led to another origin
// (another scheme, host or port) the client sends nothing that identifies it any more: no username and
// password, no certificate, no Authorization, Cookie or Proxy-Authorization header, not even back at the
// first origin. docs/client.md has a table of all fields and options. A redirect from https to http is
// followed under the same rule. The timeouts begin again for each request of a chain (SHC-45).
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. May be destroyed while fetches run: they throw HTTPClientClosedError in a
//            later turn. A callback of a fetch must not destroy the client: that ends the program with a
//            message. Destroying the task of a fetch cancels it, and frees its slot and its connection. A
//            task that was not begun must be destroyed before the client.
// Errors:    std::invalid_argument for an invalid request, before anything is sent; then HTTPClientError with
//            the phase, the peer and the cause. fetch() throws exceptions of the request's callbacks
//            unchanged.
class AsyncHTTPClient {
 public:
  struct Options {
    std::size_t max_clients = 10;  // requests at the same time; others wait, first come, first served
    std::optional<std::size_t> max_clients_per_host{};  // std::nullopt: only max_clients counts
    std::size_t max_queue = 100'000;                    // requests that wait; more are refused
    std::size_t max_idle_connections = 100;
    // The time that a kept connection may be idle; std::nullopt is no limit, and with zero or less no
    // connection is kept.
    std::optional<TimeSpan> idle_timeout = std::chrono::seconds(60);
    bool keep_alive = true;                   // false: a new connection for each request
    std::size_t max_header_size = 64 * 1024;  // for status line and headers; the same again for trailers
    std::size_t max_body_size = 100 * 1024 * 1024;  // of the decompressed body of a response
    // Replaces hosts by other hosts: "name" or "name:port" by an address or another name (SHC-20).
    std::map<std::string, std::string> hostname_mapping{};
    Resolver* resolver = nullptr;  // borrowed; null is default_resolver()
    // Makes the connections for requests to `url`: through a tunnel of the program, or to a server in the
    // same process. The client sends HTTP over the stream, also for an https URL. The options of connecting,
    // proxies and TLS have no effect. fetch() throws the exceptions of the function unchanged. Null: the
    // client connects.
    std::function<Task<IOStream>(const URL& url)> connector{};
    // Stores the cookies of all fetches and sends them, also over redirects. Null: no cookies are stored.
    std::shared_ptr<CookieJar> cookie_jar{};
    FetchOptions defaults{};  // for options that a request leaves open (HCL-02)
  };

  explicit AsyncHTTPClient(Options options, IOLoop& loop = IOLoop::current());
  virtual ~AsyncHTTPClient() = default;
  AsyncHTTPClient(const AsyncHTTPClient&) = delete;
  AsyncHTTPClient& operator=(const AsyncHTTPClient&) = delete;

  // The client of the current loop. The first call makes it; it is destroyed with the loop (HCL-01).
  static AsyncHTTPClient& current();
  // Sets the factory that current() uses, and returns the former one. Any thread. An empty factory makes
  // SimpleAsyncHTTPClients.
  using Factory = std::function<std::unique_ptr<AsyncHTTPClient>(IOLoop& loop)>;
  static Factory configure(Factory factory);

  // Throws HTTPClientClosedError if the client is closed.
  Task<HTTPResponse> fetch(HTTPRequest request, RaiseError raise_error = RaiseError::yes);
  Task<HTTPResponse> fetch(std::string url, RaiseError raise_error = RaiseError::yes) {
    return fetch(HTTPRequest(std::move(url)), raise_error);
  }

  // Closes all connections; running fetches throw HTTPClientClosedError in a later turn (HCL-06).
  virtual void close();
  bool closed() const noexcept { return closed_; }

  const Options& options() const noexcept { return options_; }
  IOLoop& loop() const noexcept { return *loop_; }

 protected:
  // Sends the next request of the fetch, and fills in the response. Throws HTTPClientError.
  virtual Task<> perform(Fetch& fetch) = 0;

  // Checks the request. Throws HTTPClientClosedError if the client is closed.
  std::unique_ptr<Fetch> make_fetch(HTTPRequest&& request) const;
  // Performs the requests of a fetch, redirect by redirect.
  Task<HTTPResponse> run(std::unique_ptr<Fetch> fetch, RaiseError raise_error);

 private:
  void keep_cookies(Fetch& fetch);

  LoopRef loop_;
  Options options_;
  bool closed_ = false;
};

// The client of the current loop.
inline AsyncHTTPClient& http_client() { return AsyncHTTPClient::current(); }

}  // namespace squall::http
