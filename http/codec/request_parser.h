#pragma once

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/chunked_decoder.h>
#include <squall/http/codec/parsed_request.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

struct llhttp__internal_s;  // llhttp_t

namespace squall::http {

// Reads requests out of a stream of bytes: heads by llhttp, which is lenient only about the version, and by
// the checks that llhttp leaves to its user; bodies by their length or by ChunkedDecoder.
//
// Input that is not exactly a request of RFC 9112 fails with the status of the answer. The connection must
// then be closed: the meaning of the bytes behind the failure is unknown.
//
// A head that repeats, byte for byte, the head that the ParsedRequest still holds from the last request is
// not parsed again: clients that poll, check health or pipeline send the same head many times. The comparison
// takes the same time wherever the two heads differ, so it tells a client nothing about the heads of other
// clients.
//
//   state      | waits for                               | ends it             | next
//   fresh      | the first byte since begin()            | a head that repeats | complete
//              |                                         | any other byte      | before
//   before     | the request behind empty lines          | a CR                | empty_line
//              |                                         | any other byte      | head
//   empty_line | the LF of an empty line                 | LF                  | before
//   head       | the empty line that ends the head       | a valid head        | complete, length or chunks
//              |                                         | a bad request line  | bad_method
//   bad_method | the method of a bad request line        | a space             | bad_line
//              |                                         | any other end of it | failed
//   bad_line   | the end of a bad request line           | the end of the line | failed
//   length     | the body, Content-Length bytes           | its last byte       | complete
//   chunks     | the body in chunks, and the trailers    | their end           | complete
//   complete   | begin()                                 |                     | fresh
//   failed     | begin(); any state can lead here        |                     | fresh
//
// Thread:    one.
// Lifetime:  borrows the request given to begin().
class RequestParser {
 public:
  enum class Result {
    more,      // all bytes are used, and the request continues
    head,      // the head has been read and a body follows: call set_max_body_size(), then parse() again
    piece,     // a piece of the body: see piece()
    complete,  // the request has been read
    failed,    // see refusal()
  };
  struct Limits {
    std::size_t max_header_size = 64 * 1024;  // for request line and headers; the same again for trailers
    std::size_t max_header_count = 1000;
  };

  RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // The next byte is the first of a request, which is written to `request`.
  void begin(ParsedRequest& request, const Limits& limits) noexcept;
  // Frees the memory of the request given to begin(), for example of a large one. The next head is then not
  // compared with it.
  void forget() noexcept;
  // Removes the bytes it uses from the front of `bytes`.
  Result parse(std::string_view& bytes);
  // After Result::piece: a view into the bytes that were given.
  std::string_view piece() const noexcept { return piece_; }
  // A body longer than `size` fails with 413, as soon as its length is known. Call this after Result::head.
  void set_max_body_size(std::size_t size) noexcept {
    max_body_size_ = size;
    chunks_.set_max_size(size);
  }

  const Refusal& refusal() const noexcept { return refusal_; }
  // A byte of the request has been read, other than empty lines before it.
  bool begun() const noexcept { return state_ >= State::head; }
  // The CR of an empty line before the request has been read, and the LF has not.
  bool in_empty_line() const noexcept { return state_ == State::empty_line; }
  // After Result::head: the Content-Length; nullopt if the body comes in chunks.
  std::optional<std::uint64_t> body_length() const noexcept;
  // All of the request has been read.
  bool complete() const noexcept { return state_ == State::complete; }

 private:
  enum class State : std::uint8_t {
    fresh,
    before,
    empty_line,
    head,
    bad_method,
    bad_line,
    length,
    chunks,
    complete,
    failed
  };

  using Llhttp = llhttp__internal_s;
  struct Callbacks;

  Llhttp& llhttp() noexcept { return *reinterpret_cast<Llhttp*>(llhttp_.data()); }
  const Llhttp& llhttp() const noexcept { return *reinterpret_cast<const Llhttp*>(llhttp_.data()); }
  // The offset that a byte of the input will have in the request's text.
  std::uint32_t position(const char* at) const noexcept {
    return base_ + static_cast<std::uint32_t>(at - data_);
  }
  bool repeats(std::string_view bytes) const noexcept;
  void reset();
  bool skip_empty_lines(std::string_view& bytes);
  Result parse_head(std::string_view& bytes);
  void append_bad_line(std::string_view& bytes);
  Result parse_bad_line(std::string_view& bytes);
  Result judge_bad_line(std::size_t scanned);
  void begin_body() noexcept;
  Result parse_length(std::string_view& bytes);
  Result parse_chunks(std::string_view& bytes);
  int execute(std::string_view feed, std::size_t& used);
  Result check_head();
  bool read_version_and_method() noexcept;
  void decide_keep_alive() noexcept;
  Refusal check_fields() const;
  void store_target(const Target& target) noexcept;
  bool framing_agrees() const noexcept;
  Result check_size();
  Result refuse(const Refusal& refusal) noexcept;
  Result refuse_as_llhttp_does() noexcept;

  // Holds an llhttp_t. The type is not named here, so that users of this header do not need llhttp's header.
  alignas(std::max_align_t) std::array<std::byte, 128> llhttp_;
  ParsedRequest* request_ = nullptr;
  Limits limits_;
  const char* data_ = nullptr;  // the bytes being parsed
  std::uint32_t base_ = 0;      // the size of the head before data_
  State state_ = State::fresh;
  bool repeatable_ = false;  // `*request_` is valid and has no body: the next head may repeat it
  std::size_t max_body_size_ = 0;
  std::uint64_t remaining_ = 0;  // bytes of a body with a length
  ChunkedDecoder chunks_;
  std::string_view piece_;
  Refusal refusal_;
};

}  // namespace squall::http
