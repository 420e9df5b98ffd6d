#pragma once

#include <squall/http/client/fetch.h>
#include <squall/http/client/idle_cache.h>
#include <squall/http/client/request_sender.h>
#include <squall/http/client/response_receiver.h>
#include <squall/http/client/via.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/iostream/stream/iostream.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

// A connection of a client: sends requests, one at a time, and receives the responses. The connection does
// not wait: FetchAttempt reads the stream and passes the bytes to receive().
//
// Next      | the caller                                          | then calls
// read      | reads the stream                                    | receive()
// piece     | calls the streaming callback, and awaits its task   | go_on()
// done      | has the response; see is_reusable()                 | begin() for the next request
// upgraded  | has the head of a 101 response                      | take_stream()
// stale     | may send the request again on another connection    |
//
// Thread:    the loop's thread only.
// Lifetime:  owns its stream. Kept by an IdleCache between requests. Borrows the fetch from begin() until
//            done, upgraded or stale.
// Errors:    HTTPClientError, and the exceptions of a body_producer.
class ClientConnection final : public Pooled {
 public:
  // `tls` is the caller's TLS context, or null. The connection keeps it alive, because the context's
  // address is a part of the host's key.
  ClientConnection(IOStream stream, Via via, std::string proxy_authorization,
                   std::shared_ptr<const TLSContext> tls = nullptr);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  IOStream& stream() noexcept { return stream_; }
  IdleCache::Place& idle_place() noexcept { return idle_place_; }

  struct Options {
    std::size_t max_header_size = 64 * 1024;
    bool keep_alive = true;
  };
  enum class Next : std::uint8_t { read, piece, done, upgraded, stale };

  // Sends the head of the request, and begins to send its body.
  void begin(Fetch& fetch, const Options& options);
  // `bytes` have arrived; an empty view means the end of the server's bytes. The bytes are borrowed until
  // the next read, and copied if the streaming callback may wait.
  Next receive(std::string_view bytes);
  // Continues with the bytes of the last receive().
  Next go_on();
  // After Next::piece: a part of the body, valid until go_on().
  std::string_view piece() const noexcept { return receiver_.piece(); }
  // After Next::done: whether the connection may carry another request.
  bool is_reusable() const noexcept;
  // After Next::upgraded: the stream. Its next read finds the bytes behind the head.
  IOStream take_stream() noexcept { return std::move(stream_); }

 private:
  Next receive_end();
  Next end();
  Next upgrade();
  // Whether the kernel has taken any byte of the request.
  Fetch::Sent sent() const noexcept {
    return stream_.flushed_bytes() > flushed_before_ ? Fetch::Sent::something : Fetch::Sent::nothing;
  }

  IOStream stream_;
  Via via_;
  std::string proxy_authorization_;
  std::shared_ptr<const TLSContext> tls_;
  ResponseReceiver receiver_;
  RequestSender sender_;
  Fetch* fetch_ = nullptr;
  std::uint32_t requests_ = 0;        // the number of requests that began
  std::uint64_t flushed_before_ = 0;  // bytes that the kernel had taken before the request
  IOLoop::TimePoint begun_{};         // when the request began
  std::string_view rest_;             // bytes that the receiver has not used
  std::string held_;                  // the memory of rest_, if the streaming callback may wait
  IdleCache::Place idle_place_{*this};
};

}  // namespace squall::http
