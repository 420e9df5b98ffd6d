#pragma once

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/chunked_decoder.h>
#include <squall/http/server/request.h>

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::http {

// Reads requests out of a stream of bytes: heads by llhttp, with no lenience, and the checks it leaves to its
// user; bodies by ourselves.
//
// What is not exactly a request of RFC 9112 fails, with the status to answer it by; the bytes behind it mean
// nothing then, and the connection must be closed.
//
// A head that is, byte for byte, the one the request still holds from last time is not parsed again: clients
// that poll, check health or pipeline send the same one over and over. The comparison takes the same time
// wherever the two differ, so it tells nothing of what other clients sent.
//
// Thread:    one.
// Lifetime:  borrows the request given to begin().
class RequestParser {
 public:
  enum class Result {
    more,      // all bytes are used, and the request goes on
    head,      // the head is there, a body follows: set the limit for it and go on
    piece,     // some of the body: see piece()
    complete,  // the request is there
    failed,    // see refusal()
  };
  struct Limits {
    std::size_t max_header_size = 64 * 1024;  // request line and headers; trailers as much again
    std::size_t max_header_count = 1000;
  };

  RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // What comes next is the first byte of a request, which is filled in.
  void begin(Request& request, const Limits& limits) noexcept;
  // The request's text is given up, as a large one must not be kept: there is nothing to compare the next
  // with.
  void forget() noexcept;
  // Takes the bytes it uses off the front of `bytes`.
  Result parse(std::string_view& bytes);
  // Upon Result::piece: a view into the bytes that were given.
  std::string_view piece() const noexcept { return piece_; }
  // A body that is longer fails with 413, as soon as it says so. To be called upon Result::head.
  void set_max_body_size(std::size_t size) noexcept {
    max_body_size_ = size;
    chunks_.set_max_size(size);
  }

  const Refusal& refusal() const noexcept { return refusal_; }
  // Something of the request has been seen, other than empty lines before it.
  bool begun() const noexcept { return begun_; }
  // Of an empty line before the request the CR has been seen, and the LF has not.
  bool in_empty_line() const noexcept { return empty_line_open_ && !begun_ && !fresh_; }
  // Upon Result::head: how long the body is said to be; none if it comes in chunks.
  std::optional<std::uint64_t> body_length() const noexcept;
  // All of the request has been seen.
  bool complete() const noexcept { return complete_; }

 private:
  enum class Phase : std::uint8_t {
    head,
    bad_line,  // the request line is none, and its end has yet to come
    body,
  };

  static const llhttp_settings_t& settings();
  static RequestParser& self(llhttp_t* parser) noexcept { return *static_cast<RequestParser*>(parser->data); }
  static int on_url(llhttp_t* parser, const char* at, std::size_t size);
  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size);
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size);
  static int on_headers_complete(llhttp_t* parser);
  static int on_message_complete(llhttp_t* parser);

  // Where a byte of the head will stand in the request's text.
  std::uint32_t position(const char* at) const noexcept {
    return base_ + static_cast<std::uint32_t>(at - data_);
  }
  bool repeats(std::string_view bytes) const noexcept;
  void reset();
  bool skip_empty_lines(std::string_view& bytes);
  Result parse_head(std::string_view& bytes);
  Result parse_bad_line(std::string_view& bytes);
  void begin_body() noexcept;
  Result parse_body(std::string_view& bytes);
  llhttp_errno_t execute(std::string_view feed, std::size_t& used);
  Result check_head();
  bool framing_agrees() const noexcept;
  Result check_size();
  Result refuse(const Refusal& refusal) noexcept;
  Result refuse_as_llhttp_does() noexcept;

  llhttp_t parser_;
  Request* request_ = nullptr;
  Limits limits_;
  const char* data_ = nullptr;  // the bytes being parsed
  std::uint32_t base_ = 0;      // how much of the head came before data_
  Phase phase_ = Phase::head;
  bool fresh_ = true;        // no byte has been looked at since begin()
  bool repeatable_ = false;  // the request is valid, and all of it is its head
  bool begun_ = false;
  bool empty_line_open_ = false;  // before the request, within an empty line
  bool complete_ = false;
  bool chunked_ = false;
  std::size_t max_body_size_ = 0;
  std::uint64_t remaining_ = 0;  // of a body with a length
  ChunkedDecoder chunks_;
  std::string_view piece_;
  Refusal refusal_;
};

}  // namespace squall::http
