#pragma once

#include <squall/http/codec/check_head.h>
#include <squall/http/message/headers.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// Decodes a body in chunks (RFC 9112, 7.1), of requests and of responses. Pure: bytes in, views into them
// out.
//
// Strict: a line ends with CRLF, and a size is hexadecimal digits and nothing else. A client is lenient with
// blanks, see Rules. The decoder skips chunk extensions and collects trailers. All bytes beside the content
// are bounded: a size line by kMaxLine, all size lines together by the size of the content, the trailers by
// the caller. The result does not depend on the pieces in which the bytes arrive.
//
// state       | waits for                              | next
// size_begin  | the first digit of a size              | size
// size        | more digits, a blank, `;` or CR        | size, blank, extension, any, size_lf
// blank       | more blanks, or `;`                    | blank, extension; of a response also any, size_lf
// extension   | behind `;`: blanks, the name           | extension, name
// name        | more of the name, a blank, `=`, `;`, CR| name, name_blank, value, extension, size_lf
// name_blank  | more blanks, `=` or `;`                | name_blank, value, extension
// value       | behind `=`: blanks, a token, a quote   | value, token, quoted
// token       | more of the token, a blank, `;` or CR  | token, blank, extension, size_lf
// quoted      | more of the text, a backslash, a quote | quoted, escaped, quote_end
// escaped     | the character behind a backslash       | quoted
// quote_end   | a blank, `;` or CR                     | blank, extension, size_lf
// any         | CR: a response's extensions            | size_lf
// size_lf     | LF                                     | data; trailer after a size of 0
// data        | the bytes of the chunk                 | data_cr
// data_cr     | CR                                     | data_lf
// data_lf     | LF                                     | size_begin
// trailer     | a trailer field or the empty line      | trailer, end
// end         | begin()                                |
// failed      | begin(); any state leads here          |
//
// Thread:    one.
// Errors:    Result::failed and refusal(), with the status that answers a request. The decoder stays failed.
class ChunkedDecoder {
 public:
  enum class Result {
    more,    // all bytes are used; the body is not at its end
    piece,   // some of the content
    end,     // the body and its trailers are complete
    failed,  // see refusal()
  };
  // A request must have well-formed extensions, with blanks only where RFC 9112, 7.1.1 has BWS: other servers
  // may read malformed ones in another way. A response may have any text as extensions, blanks at the end of
  // a size line, and a trailer field that continues on a line that begins with a blank (RFC 9112, 5.2).
  enum class Rules : std::uint8_t { request, response };

  // The longest size line: size, extensions and CRLF.
  static constexpr std::size_t kMaxLine = 1024;
  // All size lines and chunk ends together may take 16 bytes a chunk, plus the size of the content, plus
  // this: a body that is mostly extensions is an attack.
  static constexpr std::size_t kMaxExcess = 16 * 1024;

  // The next byte is the first of a body. Trailers of more than `max_trailers` bytes fail with 431.
  void begin(std::size_t max_trailers, Rules rules = Rules::request) noexcept;
  // Content of more than `size` bytes fails with 413, as soon as a size line announces it; std::nullopt is no
  // limit. May change while the body is decoded.
  void set_max_size(std::optional<std::uint64_t> size) noexcept {
    max_size_ = size.value_or(std::numeric_limits<std::uint64_t>::max());
  }
  // Removes the bytes it uses from the front of `bytes`. `piece` is a view into them.
  Result decode(std::string_view& bytes, std::string_view& piece);

  const Refusal& refusal() const noexcept { return refusal_; }
  // After Result::end: adds the trailer fields to `trailers`.
  void move_trailers_to(Headers& trailers);

 private:
  enum class State : std::uint8_t {
    size_begin,
    size,
    blank,
    extension,
    name,
    name_blank,
    value,
    token,
    quoted,
    escaped,
    quote_end,
    any,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    end,
    failed,
  };

  Result decode_framing(std::string_view& bytes);
  bool take_size(char c) noexcept;
  State after_size(char c) const noexcept;
  bool end_size_line() noexcept;
  Result take_trailer(std::string_view& bytes);
  bool join_folded(std::string_view line) noexcept;
  Result fail(const Refusal& refusal) noexcept;

  State state_ = State::size_begin;
  Rules rules_ = Rules::request;
  std::uint64_t size_ = 0;   // of the chunk: in a size line, its digits so far; in data, the bytes left
  std::uint64_t total_ = 0;  // the sum of all chunk sizes so far
  std::uint64_t max_size_ = 0;
  std::size_t line_ = 0;    // bytes of the size line
  std::size_t excess_ = 0;  // bytes of size lines beyond the allowance of their chunks
  std::size_t max_trailers_ = 0;
  std::string trailers_;          // the trailer lines
  std::size_t trailer_line_ = 0;  // offset of the last trailer line
  Refusal refusal_;
};

}  // namespace squall::http
