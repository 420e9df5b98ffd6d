#pragma once

#include <squall/http/codec/content_decoder.h>
#include <squall/http/client/fetch.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/codec/response_parser.h>
#include <squall/ioloop/loop/task.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::http {

// Makes a fetch's response of the bytes that a connection receives: checks its limits, decompresses it, and
// hands it to whoever wants it in pieces.
//
// Thread:    one.
// Lifetime:  borrows the fetch given to begin().
// Errors:    HTTPClientError, for what is no response and for one that is too large.
class ResponseReceiver {
 public:
  enum class Result : std::uint8_t {
    more,       // all bytes are used
    may_send,   // 100 Continue
    go_on,      // call again, even without bytes
    piece,      // piece() is for the streaming callback
    complete,   // bytes that are left are not the response's
    abandoned,  // the rest is a redirect's body, and too long to be worth reading
  };

  void begin(Fetch& fetch, std::size_t max_header_size);
  Result receive(std::string_view& bytes);
  // The server's bytes have ended.
  // With what has closed the stream, if anything.
  Result receive_end(std::error_code error);

  // Any byte of the response has come.
  bool begun() const noexcept { return parser_.begun(); }
  bool has_head() const noexcept { return has_head_; }
  bool keep_alive() const noexcept { return parser_.keep_alive(); }
  // There is a streaming callback that takes the body.
  bool streams() const noexcept { return sink_ == Sink::callback; }
  std::string_view piece() const noexcept { return piece_; }

 private:
  enum class Sink : std::uint8_t { body, callback, nothing };

  // What of a redirect's body is read, so that the connection can be used again.
  static constexpr std::size_t kMaxDiscarded = 64 * 1024;
  static constexpr std::size_t kDecodedPiece = 64 * 1024;

  void take_head();
  void begin_decoding();
  Result decode();
  void show_head() const;
  Result take_piece(std::string_view piece);
  Result end();
  std::string peer() const { return fetch_->peer(); }
  [[noreturn]] void too_large() const;
  [[noreturn]] void refuse_coding() const;

  ResponseParser parser_;
  Fetch* fetch_ = nullptr;
  Headers interim_;  // of informational responses
  std::size_t received_ = 0;
  std::optional<BoundedDecoder> decoder_;
  std::string decoded_;     // room for a piece that it makes
  std::string_view coded_;  // of the piece that came, what it has yet to take
  bool has_coded_ = false;  // there is something, or more may come of what it has taken
  std::string_view piece_;
  Sink sink_ = Sink::body;
  bool has_head_ = false;
};

}  // namespace squall::http
