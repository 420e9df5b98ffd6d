#pragma once

#include <squall/http/client/fetch.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/codec/content_decoder.h>
#include <squall/http/codec/response_parser.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::http {

// Makes the response of a fetch from the bytes that a connection receives: checks its limits, decompresses
// its body, and gives the body in pieces if the request has a streaming callback.
//
// Thread:    one.
// Lifetime:  borrows the fetch given to begin(), and the bytes of a piece until receive() returns `more`.
// Errors:    HTTPClientError for an invalid or too large response.
class ResponseReceiver {
 public:
  enum class Result : std::uint8_t {
    more,       // all bytes are used
    may_send,   // 100 Continue: call receive() again
    go_on,      // call receive() again, even without bytes
    piece,      // piece() is for the streaming callback; then call receive() again, even without bytes
    complete,   // the bytes left are not part of the response
    upgraded,   // a 101 response that the request asked for; the bytes left are of the new protocol
    abandoned,  // the rest is the body of a redirect, too long to be read
  };

  void begin(Fetch& fetch, std::size_t max_header_size);
  // Removes the bytes it uses from the front of `bytes`.
  Result receive(std::string_view& bytes);
  // The server has ended its bytes. `error` is the error that closed the stream; zero without one.
  void receive_end(std::error_code error);

  // Whether a byte of the response has arrived.
  bool begun() const noexcept { return parser_.begun(); }
  // Whether the response is complete and its connection may carry another request.
  bool keeps_alive() const noexcept { return parser_.is_complete() && parser_.keep_alive(); }
  std::string_view piece() const noexcept { return piece_; }

 private:
  // The destination of the body.
  enum class Sink : std::uint8_t { unknown, body, callback, nothing };

  // This much of the body of a redirect is read, so that the connection can be used again.
  static constexpr std::size_t kMaxDiscarded = 64 * 1024;
  static constexpr std::size_t kDecodedPiece = 64 * 1024;

  Result take_head();
  Result take_switch();
  void begin_decoding();
  Result decode();
  void show_head() const;
  Result take_piece(std::string_view piece);
  Result end();
  // The phase of an error: the head, until that is complete.
  FetchPhase phase() const noexcept { return sink_ == Sink::unknown ? FetchPhase::head : FetchPhase::body; }
  [[noreturn]] void fail(std::string message) const;
  [[noreturn]] void fail_too_large() const;
  [[noreturn]] void fail_to_decode() const;

  ResponseParser parser_;
  Fetch* fetch_ = nullptr;
  Sink sink_ = Sink::unknown;
  bool is_decoding_ = false;  // decode() has not yet used up coded_
  std::size_t received_ = 0;  // bytes of the body before decompression
  std::optional<BoundedDecoder> decoder_;
  std::string decoded_;     // memory for a decoded piece
  std::string_view coded_;  // rest of the piece that is being decoded
  std::string_view piece_;
};

}  // namespace squall::http
