#pragma once

#include <squall/http/codec/check_head.h>
#include <squall/http/message/headers.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::http {

// Takes a body out of its chunks (RFC 9112, 7.1). Pure: bytes in, views into them out.
//
// With no lenience: CRLF and nothing else ends a line, a size is hexadecimal digits and nothing else.
// Extensions are ignored, whatever text they are; trailers are collected. What comes beside the content is
// bounded: a size line by kMaxLine bytes, all of them together by the content they announce, the trailers by
// the caller. The verdict never depends on the pieces the bytes come in.
//
// Thread:    one.
// Errors:    whatever is not such a body fails, with the status to answer it by; it stays failed.
class ChunkedDecoder {
 public:
  enum class Result {
    more,    // all bytes are used, and the body goes on
    piece,   // some of its content
    end,     // all of it was read, the trailers as well
    failed,  // see refusal()
  };
  // Of one chunk's size and extensions, with the line end.
  static constexpr std::size_t kMaxLine = 1024;
  // Size lines and their ends may take 16 bytes a chunk, as much as the content, and so much more: a body
  // that is nearly all extensions is an attack.
  static constexpr std::size_t kMaxExcess = 16 * 1024;

  // What comes next is the first byte of a body. Trailers beyond `max_trailers` bytes fail with 431.
  void begin(std::size_t max_trailers) noexcept;
  // A body that says it is longer fails with 413, once the chunk's size is there. May change on the way.
  void set_max_size(std::uint64_t size) noexcept { max_size_ = size; }
  // Takes the bytes it uses off the front of `bytes`. `piece` is a view into them.
  Result decode(std::string_view& bytes, std::string_view& piece);

  const Refusal& refusal() const noexcept { return refusal_; }
  // Upon Result::end: adds the trailer fields to `trailers`.
  void move_trailers_to(Headers& trailers);

 private:
  enum class State : std::uint8_t {
    size_begin,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,  // a trailer field, or the empty line behind the last one
    end,
    failed,
  };

  Result decode_framing(std::string_view& bytes);
  bool take_size(char c) noexcept;
  bool end_size_line() noexcept;
  Result take_trailer(std::string_view& bytes);
  Result fail(const Refusal& refusal) noexcept;

  State state_ = State::size_begin;
  std::uint64_t size_ = 0;   // the chunk's, as far as it is read; then what is left of it
  std::uint64_t total_ = 0;  // of all chunks so far
  std::uint64_t max_size_ = 0;
  std::size_t line_ = 0;    // bytes of the size line
  std::size_t excess_ = 0;  // size lines beyond what is due to their chunks
  std::size_t max_trailers_ = 0;
  std::string trailers_;          // as they came
  std::size_t trailer_line_ = 0;  // where the last of them begins
  Refusal refusal_;
};

}  // namespace squall::http
