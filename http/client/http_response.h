#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/client/http_request.h>
#include <squall/ioloop/base/frame_pool.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// How long the parts of a fetch took. Those that did not take place, as resolving does not on a connection
// that was there, are zero.
struct FetchTimes {
  using Duration = std::chrono::nanoseconds;

  Duration queue{};     // waiting for a turn
  Duration redirect{};  // all requests before the last
  Duration resolve{};   // these are the last request's
  Duration connect{};
  Duration tls{};         // the proxy's tunnel included
  Duration first_byte{};  // from the request's first byte to the response's
  Duration total{};       // the whole fetch
};

// The response to a fetch: a value.
class HTTPResponse {
 public:
  HTTPResponse();
  explicit HTTPResponse(HTTPRequest&& request);
  HTTPResponse(HTTPResponse&&) noexcept = default;
  HTTPResponse& operator=(HTTPResponse&&) noexcept = default;
  HTTPResponse(const HTTPResponse& other);
  HTTPResponse& operator=(const HTTPResponse& other);
  ~HTTPResponse();

  int code() const noexcept { return data_->code; }
  // As it was sent, or else RFC 9110's.
  const std::string& reason() const noexcept { return data_->reason; }
  bool ok() const noexcept { return code() >= 200 && code() < 300; }
  const Headers& headers() const noexcept { return data_->headers; }
  // What came behind a chunked body.
  const Headers& trailers() const noexcept { return data_->trailers; }
  const std::string& body() const noexcept { return data_->body; }
  std::string take_body() noexcept { return std::move(data_->body); }

  // As it was given to fetch(), also after redirects.
  const HTTPRequest& request() const noexcept { return data_->request; }
  // The last URL that was fetched.
  const std::string& effective_url() const noexcept { return data_->effective_url; }
  // Redirects that were followed.
  int redirects() const noexcept { return data_->redirects; }

  // Of the last request, without queueing.
  FetchTimes::Duration request_time() const noexcept { return data_->request_time; }
  const FetchTimes& time_info() const noexcept { return data_->times; }
  // When the last request left the queue.
  std::chrono::system_clock::time_point start_time() const noexcept { return data_->start_time; }

  // Throws HTTPClientError unless ok().
  void rethrow() const;

 private:
  friend class AsyncHTTPClient;
  friend class CurlAsyncHTTPClient;
  friend class CurlTransfer;
  friend class Fetch;
  friend class ClientConnection;
  friend class ClientDialer;
  friend class ResponseReceiver;
  friend class SimpleAsyncHTTPClient;

  struct Data : Pooled {
    explicit Data(HTTPRequest&& request) : request(std::move(request)) {}

    HTTPRequest request;
    int code = 599;
    int redirects = 0;
    std::string reason;
    Headers headers;
    Headers trailers;
    std::string body;
    std::string effective_url;
    FetchTimes times;
    FetchTimes::Duration request_time{};
    std::chrono::system_clock::time_point start_time{};
  };

  std::unique_ptr<Data> data_;
};

}  // namespace squall::http
