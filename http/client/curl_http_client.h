#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/connection_pool.h>
#include <squall/http/client/fetch_guard.h>
#include <squall/http/client/http_response.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace squall::http {

// What libcurl said: the cause() of an HTTPClientError of CurlAsyncHTTPClient (CUR-07).
class CurlError : public std::runtime_error {
 public:
  CurlError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  // A CURLcode.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// The same over libcurl, for what only that can do: digest authentication, proxies of other kinds, and
// whatever HTTPRequest::prepare_curl_callback sets. There if the library was built with libcurl.
//
// It knows no body_producer, no streaming callback that waits, no TLSContext and no GET with a body: these
// throw std::invalid_argument. Headers stay as they came when a body was decompressed (CUR-05). Redirects,
// credentials, cookies and queueing are as with SimpleAsyncHTTPClient: libcurl is given one request at a
// time. What is not repeatable goes out on a connection of its own. Names are looked up by libcurl: with
// Options::resolver the constructor throws std::invalid_argument. Options::idle_timeout is counted in whole
// seconds, and looked at when a connection is wanted again.
//
// Callbacks may begin other fetches, and end them.
class CurlAsyncHTTPClient : public AsyncHTTPClient {
 public:
  explicit CurlAsyncHTTPClient(IOLoop& loop = IOLoop::current(), Options options = Options());
  ~CurlAsyncHTTPClient() override;

  void close() override;

 protected:
  Task<> perform(Fetch& fetch) override;

 private:
  friend class CurlTransfer;

  Task<> work(Fetch& fetch, FetchGuard*& guard);
  void* take_easy();
  void give_back(void* easy) noexcept;
  void socket_changed(int fd, int interest);
  void timer_changed(long milliseconds);
  void act(int fd, int events) noexcept;
  bool keeps_connections() const noexcept;
  void free_retired() noexcept;

  // A request that was given up while libcurl was at work, with all that it may still look at.
  struct Retired {
    void* easy;
    void* headers;  // curl_slist*
    void* mapping;
    HTTPResponse response;
  };

  void* multi_;             // CURLM*; null once closed
  bool is_acting_ = false;  // libcurl is at work, and calls us: it cannot be asked for anything
  std::vector<Retired> retired_;
  std::vector<void*> easy_;  // CURL*, for the next requests
  ConnectionPool turns_;
  FetchGuards guards_;
  Timeout timer_;
  LoopHook close_all_;
};

}  // namespace squall::http
