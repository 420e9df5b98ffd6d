#pragma once

#include <squall/http/message/cookie_jar.h>
#include <squall/http/client/fetch.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/client/http_request.h>
#include <squall/http/client/http_response.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/resolver.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace squall::http {

// Whether a response with a status other than 2xx is an error (HCL-04).
enum class RaiseError : bool { no, yes };

// Fetches over HTTP/1.1 and 1.0.
//
//     HTTPResponse response = co_await http_client().fetch("http://127.0.0.1:8888/");
//     fmt::print("{}\n", response.body());
//
// Each loop has a client of its own, current(), whose connections are shared by all that runs there. One with
// options of its own is constructed, as a SimpleAsyncHTTPClient or a CurlAsyncHTTPClient.
//
// Redirects are followed as browsers do (SHC-40 to SHC-42). Once one has led to another origin, that is
// another scheme, host or port, no credentials are sent any more: no user and password, no Authorization,
// Cookie or Proxy-Authorization header, not even back at the first origin. A redirect from https to http is
// followed so too. Each request of a chain has the timeouts to itself (SHC-45).
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. May be destroyed while fetches run, but not from within one of their
// callbacks:
//            they throw HTTPClientClosedError, in a later turn. Destroying a fetch's task cancels it, and
//            frees its place and its connection. A task that was never begun must not be once the client is
//            gone.
// Errors:    std::invalid_argument for a request that makes no sense, before anything is sent.
// HTTPClientError
//            for what goes wrong afterwards, with the phase, the peer and the cause. What the request's
//            callbacks throw comes out of fetch() as it is.
class AsyncHTTPClient {
 public:
  struct Options {
    std::size_t max_clients = 10;          // requests at a time; the others wait, first come, first served
    std::size_t max_clients_per_host = 0;  // 0: as many as in all
    std::size_t max_queue = 100'000;       // those that wait; more are refused
    std::size_t max_idle_connections = 100;
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);  // of a connection that is kept
    bool keep_alive = true;                                            // false: one request a connection
    std::size_t max_header_size = 64 * 1024;        // status line and headers; trailers as much again
    std::size_t max_body_size = 100 * 1024 * 1024;  // of a response, decompressed
    // Hosts to be connected to elsewhere: "name" or "name:port" to an address or another name (SHC-20).
    std::map<std::string, std::string> hostname_mapping{};
    Resolver* resolver = nullptr;  // borrowed; null is default_resolver()
    // Cookies go to and come from it, of all fetches, redirects among them. Null: Set-Cookie is only a
    // header.
    std::shared_ptr<CookieJar> cookie_jar{};
    FetchOptions defaults{};  // for what a request leaves open (HCL-02)
  };

  explicit AsyncHTTPClient(IOLoop& loop, Options options) : loop_(loop), options_(std::move(options)) {}
  virtual ~AsyncHTTPClient() = default;
  AsyncHTTPClient(const AsyncHTTPClient&) = delete;
  AsyncHTTPClient& operator=(const AsyncHTTPClient&) = delete;

  // The current loop's, made on first use; it ends with the loop (HCL-01).
  static AsyncHTTPClient& current();
  // Makes the clients that current() is going to make. Any thread. An empty one is for SimpleAsyncHTTPClient.
  using Factory = std::function<std::unique_ptr<AsyncHTTPClient>(IOLoop& loop)>;
  static void configure(Factory factory);

  // Throws std::runtime_error on a closed client.
  Task<HTTPResponse> fetch(HTTPRequest request, RaiseError raise_error = RaiseError::yes);
  Task<HTTPResponse> fetch(std::string url, RaiseError raise_error = RaiseError::yes) {
    return fetch(HTTPRequest(std::move(url)), raise_error);
  }

  // Closes all connections; fetches that run throw HTTPClientClosedError, in a later turn (HCL-06).
  virtual void close();
  bool closed() const noexcept { return closed_; }

  const Options& options() const noexcept { return options_; }
  IOLoop& loop() const noexcept { return loop_; }

 protected:
  // Sends the fetch's present request, and fills in the response to it. Throws HTTPClientError.
  virtual Task<> perform(Fetch& fetch) = 0;

 private:
  void keep_cookies(Fetch& fetch);
  Task<HTTPResponse> run(std::unique_ptr<Fetch> fetch, RaiseError raise_error);

  IOLoop& loop_;
  Options options_;
  bool closed_ = false;
};

// The current loop's client.
inline AsyncHTTPClient& http_client() { return AsyncHTTPClient::current(); }

}  // namespace squall::http
