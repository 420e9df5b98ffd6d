#pragma once

#include <squall/http/client/http_request.h>
#include <squall/http/message/headers.h>
#include <squall/ioloop/base/frame_pool.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace squall::http {

// The durations of the parts of a fetch. A part that did not take place is std::nullopt, such as the name
// lookup of a kept connection.
struct FetchTimes {
  using Duration = std::chrono::nanoseconds;

  Duration queue{};                 // waiting for a slot, over all requests of the fetch
  Duration redirect{};              // all requests before the last one
  std::optional<Duration> resolve;  // this and the next three: of the last request
  std::optional<Duration> connect;
  std::optional<Duration> tls;         // with the tunnel through a proxy
  std::optional<Duration> first_byte;  // from the start of the request to the first byte of the response
  Duration total{};                    // the whole fetch
};

// The response to a fetch: a value.
//
// Thread:    one at a time.
// Lifetime:  owns all its data. A moved-from response may only be assigned to or destroyed.
class HTTPResponse {
 public:
  static constexpr int kNoStatus = 599;  // as Tornado has it

  // The parts of a response, for the clients that fill it in and for tests that need one without a server.
  struct Data : Pooled {
    explicit Data(HTTPRequest&& request) : request(std::move(request)) {}

    HTTPRequest request;
    int status = kNoStatus;
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

  // An empty response with kNoStatus.
  HTTPResponse();
  explicit HTTPResponse(std::unique_ptr<Data> data) noexcept : data_(std::move(data)) {}
  HTTPResponse(HTTPResponse&&) noexcept = default;
  HTTPResponse& operator=(HTTPResponse&&) noexcept = default;
  HTTPResponse(const HTTPResponse& other);
  HTTPResponse& operator=(const HTTPResponse& other);
  ~HTTPResponse();

  int status() const noexcept { return data_->status; }
  // The reason that the server sent; without one the reason of RFC 9110.
  const std::string& reason() const noexcept { return data_->reason; }
  // Whether the status is 2xx.
  bool ok() const noexcept { return status() >= 200 && status() < 300; }
  const Headers& headers() const noexcept { return data_->headers; }
  // The fields behind the last chunk of the body.
  const Headers& trailers() const noexcept { return data_->trailers; }
  const std::string& body() const noexcept { return data_->body; }
  std::string take_body() noexcept { return std::move(data_->body); }

  // The request given to fetch(), also after redirects.
  const HTTPRequest& request() const noexcept { return data_->request; }
  // The URL of the last request.
  const std::string& effective_url() const noexcept { return data_->effective_url; }
  // The number of redirects that the client followed.
  int redirects() const noexcept { return data_->redirects; }

  // The duration of the last request, without waiting for a slot.
  FetchTimes::Duration request_time() const noexcept { return data_->request_time; }
  const FetchTimes& time_info() const noexcept { return data_->times; }
  // When the last request got its slot.
  std::chrono::system_clock::time_point start_time() const noexcept { return data_->start_time; }

  // Throws HTTPClientError unless ok().
  void rethrow() const;

 private:
  std::unique_ptr<Data> data_;
};

}  // namespace squall::http
