#pragma once

#include <squall/http/codec/body_writer.h>
#include <squall/http/client/connection_pool.h>
#include <squall/http/client/fetch.h>
#include <squall/http/client/response_receiver.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// How a request gets to its server.
enum class Via : std::uint8_t {
  direct,  // by a connection of its own, or a tunnel
  proxy,   // by a proxy that is told the whole URL
};

// One connection of a client: sends requests, one at a time, and takes the responses.
// SimpleAsyncHTTPClient::work() is its loop, and does the waiting.
//
// Thread:    the loop's thread only.
// Lifetime:  owns its stream. Kept by a ConnectionPool between requests.
// Errors:    HTTPClientError.
class ClientConnection final : public Pooled, private detail::TaskOwner {
 public:
  ClientConnection(IOStream stream, Via via, std::string proxy_authorization);
  // Keeps it for as long as it is there itself: connections are told apart by it.
  void hold(std::shared_ptr<const TLSContext> tls) noexcept { tls_ = std::move(tls); }
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  IOStream& stream() noexcept { return stream_; }

  // ---- A request.

  struct Options {
    std::size_t max_header_size = 64 * 1024;
    bool keep_alive = true;
  };
  // Sends the head, and the body as far as it need not wait for the server. `reused`: it had a request
  // before.
  void begin(Fetch& fetch, const Options& options, bool reused);

  enum class Next : std::uint8_t {
    read,    // more bytes: receive()
    stream,  // somebody takes the body who may have to wait: co_await receive_slowly()
    done,    // the response is there
    stale,   // the server has closed the connection before the request came: another one may do
  };
  // Bytes have come; none are the end.
  Next receive(std::string_view bytes);
  // The rest of the response.
  Task<> receive_slowly();
  // After Next::done: the connection can have another request.
  bool is_reusable() const noexcept;

 private:
  friend class ConnectionPool;
  enum : std::size_t { kUpload, kWatch };

  std::coroutine_handle<> task_ended(std::size_t number) noexcept override;

  void send_head(const Options& options);
  void begin_body();
  Task<> send_body();
  void send_body_anyway_later();
  Next receive_end();
  void check_upload();
  Next end();

  // For the pool. While it is idle anything that comes, bytes or an end, ends its usefulness.
  void begin_idle(ConnectionPool& pool);
  void end_idle() noexcept;
  IOLoop::TimePoint idle_since() const noexcept { return idle_since_; }

  IOStream stream_;
  Via via_;
  std::string proxy_authorization_;
  std::shared_ptr<const TLSContext> tls_;
  ResponseReceiver receiver_;
  Fetch* fetch_ = nullptr;
  bool reused_ = false;
  bool wants_continue_ = false;  // the body waits for a 100
  bool upload_done_ = true;
  bool own_failure_ = false;  // the upload has failed, and not because the stream closed
  bool clean_ = false;        // nothing came behind the response
  bool keep_alive_ = true;
  std::uint64_t flushed_before_ = 0;  // what the kernel had taken before this request
  IOLoop::TimePoint begun_{};
  Task<> upload_;
  Timeout continue_timer_;

  ConnectionPool* pool_ = nullptr;
  ConnectionPool::Host* host_ = nullptr;
  ClientConnection* previous_ = nullptr;  // among the idle ones
  ClientConnection* next_ = nullptr;
  IOLoop::TimePoint idle_since_{};
  Task<> watch_;
};

}  // namespace squall::http
