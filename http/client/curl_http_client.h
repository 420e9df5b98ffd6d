#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace squall::http {

class CurlEngine;

// An error of libcurl: the cause() of an HTTPClientError of CurlAsyncHTTPClient (CUR-07).
class CurlError : public std::runtime_error {
 public:
  CurlError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  // A CURLcode.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// An HTTP client over libcurl, for features that only libcurl has: digest authentication, other kinds of
// proxies, and the options that HTTPRequest::prepare_curl_callback sets. Part of the library if it was
// built with libcurl.
//
// These throw std::invalid_argument: a body_producer, a streaming callback that returns a task, a TLSContext,
// and a GET with a body; in the constructor, Options::resolver and Options::connector, as libcurl looks up
// names and connects. The headers of a response are not changed when its body is decompressed (CUR-05).
// Redirects, credentials, cookies and queueing are as with SimpleAsyncHTTPClient: libcurl gets one request at
// a time. A request that cannot be repeated has a connection of its own. Options::idle_timeout has a
// resolution of seconds, and is checked when the connection would be used again. Timeouts of a request are at
// least 1 ms, libcurl's shortest. Over TLS, a body that ends with the connection counts as complete also if
// TLS has not ended, because libcurl does not report that the body may have been cut.
//
// Callbacks may begin other fetches, and end them.
//
// Thread:    the loop's thread only.
// Lifetime:  as AsyncHTTPClient.
// Errors:    as AsyncHTTPClient; cause() is a CurlError.
class CurlAsyncHTTPClient : public AsyncHTTPClient {
 public:
  explicit CurlAsyncHTTPClient(Options options = Options(), IOLoop& loop = IOLoop::current());
  ~CurlAsyncHTTPClient() override;

  void close() override;

 protected:
  Task<> perform(Fetch& fetch) override;

 private:
  std::unique_ptr<CurlEngine> engine_;
  LoopHook close_;
};

}  // namespace squall::http
