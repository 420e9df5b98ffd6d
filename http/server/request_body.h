#pragma once

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/content_decoder.h>
#include <squall/http/codec/parsed_request.h>
#include <squall/http/codec/request_parser.h>
#include <squall/http/server/request_times.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

class ResponseWriter;

// The body of one request: its limits, its deadline, its decoding, and the back-pressure on the client.
//
// The connection collects the body and gives each piece to collect(). Or the handler streams the body by
// read(), and nothing is received between two reads. The limits hold for the body as it is received and for
// the body as it is decompressed.
//
//   state     | waits for                         | ends it                | next
//   none      | a head that is followed by a body | begin()                | collected
//   collected | pieces; then read()               | stream()               | streamed
//             |                                   | read()                 | given
//   given     | the end of the exchange           | reset()                | none
//   streamed  | read() calls                      | a body that is refused | failed
//             |                                   | detach()               | detached
//             |                                   | reset()                | none
//   failed    | the end of the exchange           | reset()                | none
//   detached  | the end of the exchange           | reset()                | none
//
// The deadline bounds the time in which the server waits for the client. The time in which a handler does not
// read is not counted. The end of this deadline moves, so it has its own timer of the loop. The connection
// table has the deadlines of bodies that are collected within the server's own body_timeout.
//
// Thread:    the server's loop.
// Lifetime:  a part of an Exchange, whose other parts it borrows. Views are valid until the next read.
class RequestBody {
 public:
  struct Limits {
    std::size_t max_size = 0;            // 413 beyond
    std::chrono::nanoseconds timeout{};  // 408 beyond
    std::size_t chunk_size = 0;          // the longest piece that read() gives
  };
  // Called by the loop when the deadline has passed.
  struct Expiry {
    void (*function)(void* context) = nullptr;
    void* context = nullptr;
  };

  RequestBody(RequestParser& parser, ParsedRequest& head, ResponseWriter& response) noexcept
      : parser_(parser), head_(head), response_(response) {}
  ~RequestBody() { stop_clock(); }
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  // ---- For the connection.

  // A new request: no body yet.
  void reset() noexcept {
    if (state_ != State::none) [[unlikely]]
      forget();
  }
  // The head says that a body follows. `times` is null unless they are measured.
  void begin(IOStream& stream, const Limits& limits, Expiry expiry, RequestTimes* times) noexcept;
  // The handler reads the body.
  void stream() noexcept { state_ = State::streamed; }
  // Decompresses the body if its Content-Encoding is known (H1C-40). The field gets the name
  // X-Consumed-Content-Encoding.
  void decompress(std::optional<std::uint64_t> max_ratio);
  // Starts the clock of a collected body. Needed only if its timeout differs from the server's.
  void start_clock();
  std::chrono::nanoseconds timeout() const noexcept { return limits_.timeout; }
  std::size_t max_size() const noexcept { return limits_.max_size; }
  Refusal collect(std::string_view piece);
  Refusal end_collecting() noexcept;
  // The connection is no longer the server's.
  // A collected body can still be read.
  void detach() noexcept {
    if (is_streamed()) state_ = State::detached;
  }

  bool is_streamed() const noexcept { return state_ == State::streamed || state_ == State::failed; }
  // A read waits for the client.
  bool is_reading() const noexcept { return waiting_since_.has_value(); }

  // ---- For the handler; Exchange and ServerRequest document these.

  void set_max_size(std::size_t size) noexcept;
  void set_timeout(TimeSpan timeout);
  std::string_view collected() const noexcept { return bytes_; }
  Task<std::string_view> read();

 private:
  enum class State : std::uint8_t { none, collected, given, streamed, failed, detached };
  struct Decoding : Pooled {
    Decoding(std::unique_ptr<ContentDecoder> decoder, BoundedDecoder::Limits limits) noexcept
        : decoder(std::move(decoder), limits) {}
    BoundedDecoder decoder;
    std::string decoded;       // the piece that was read last, or that is being collected
    std::string_view encoded;  // the part of the last piece that is not decoded yet
  };
  class ClientWait;

  void forget() noexcept;
  Task<std::string_view> read_pieces();
  Task<std::string_view> read_decompressed();
  std::string_view take_pieces(std::string_view bytes);
  [[noreturn]] void fail(const Refusal& refusal);
  std::chrono::nanoseconds waited() const noexcept;
  void arm();
  void check_clock();
  void stop_clock() noexcept;

  RequestParser& parser_;
  ParsedRequest& head_;
  ResponseWriter& response_;
  IOStream* stream_ = nullptr;
  std::optional<LoopRef> loop_;
  RequestTimes* times_ = nullptr;
  Limits limits_;
  Expiry expiry_;
  State state_ = State::none;
  std::string bytes_;  // a collected body, or a piece that arrived in several chunks
  std::unique_ptr<Decoding> decoding_;
  std::chrono::nanoseconds waited_{};               // time that ended reads waited for the client
  std::optional<IOLoop::TimePoint> waiting_since_;  // a read waits now
  Timeout timer_;
  Refusal refusal_;
};

}  // namespace squall::http
