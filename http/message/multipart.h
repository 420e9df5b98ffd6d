#pragma once

#include <squall/http/message/headers.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// Why a body is no multipart/form-data that we take.
enum class MultipartFault : std::uint8_t {
  none,
  disabled,
  wrong_type,
  no_boundary,
  no_final_boundary,
  malformed,  // a boundary line that is none, or a disposition that is not form-data
  missing_headers,
  missing_name,
  repeated_parameter,  // two names or file names: readers would differ on which is meant
  invalid_header,
  invalid_utf8,
  header_too_large,
  too_many_parts,
  too_large,
};
// In words, as the log and the reference have them: `no final boundary found`.
std::string_view describe(MultipartFault fault) noexcept;

struct MultipartLimits {
  bool enabled = true;
  // What boundaries separate, of which the empty piece before the first is one: 99 parts pass (HUT-64).
  std::size_t max_parts = 100;
  std::size_t max_part_header_size = 10 * 1024;
  // Of the whole body. What carries it has its own limit on bodies.
  std::uint64_t max_size = std::numeric_limits<std::uint64_t>::max();
  // Text before the first boundary, which RFC 2046 allows, RFC 7578 has no use for and HUT-82 refuses.
  std::size_t max_preamble_size = 0;
};

// The boundary that a Content-Type names; none if there is none that RFC 2046, 5.1.1, has: 1 to 70 characters
// of its set, no space at the end. The media type is not looked at.
std::optional<std::string> multipart_boundary(std::string_view content_type);

// A part of a form. A name is bytes as the client sent them: browsers write `"` in one as %22, and that
// stays. A file name may have a path in it, or be `..`: never use it as one.
struct MultipartPart {
  Headers headers;
  std::string name;
  std::string filename;      // empty for a field
  std::string content_type;  // of a file, `application/unknown` if it has none; of a field as it is said

  bool is_file() const noexcept { return !filename.empty(); }
};

// What feed() tells of.
class MultipartDelegate {
 public:
  virtual ~MultipartDelegate() = default;
  virtual void part_begin(const MultipartPart& part) = 0;
  // A piece of the part, valid during the call. Pieces mean nothing.
  virtual void part_data(std::string_view data) = 0;
  virtual void part_end() = 0;
  // Behind the last part.
  virtual void finish() {}
};

// Reads multipart/form-data (RFC 7578) out of a stream of bytes, however they are cut, and keeps nothing but
// the headers of the part at hand: a file of any size costs the same memory.
//
// Boundaries begin a line, which CRLF ends, perhaps after blanks; `--BOUNDARY--` ends the form, and what
// follows is ignored. In all of RFC 2046's ambiguous cases the body fails. Part headers are in UTF-8 or not
// at all; a field `_charset_` is like any other, and no Content-Transfer-Encoding is looked at (RFC 7578,
// 4.7).
//
// Either feed() it, with a delegate, or ask it for its next() event, where work is to be awaited between
// them: feed() is a loop of that.
//
// Thread:    one.
// Errors:    a fault, after which every call fails likewise. Linear time.
class MultipartParser {
 public:
  enum class Event : std::uint8_t {
    more,      // all bytes are used
    part,      // part() is there
    data,      // so is a piece of it: data()
    part_end,  // that was all of it
    finished,  // that was all; what else comes is ignored. Told once, then `more`.
    failed,    // see fault()
  };

  // Fails at once for what multipart_boundary() would not return.
  explicit MultipartParser(std::string_view boundary, const MultipartLimits& limits = {});

  // The next event. Takes the bytes that it uses off the front of `bytes`.
  Event next(std::string_view& bytes);
  // False if it failed.
  bool feed(std::string_view bytes, MultipartDelegate& delegate);
  // No more bytes come: false if that was not all.
  bool end() noexcept;

  // From Event::part to the next one.
  const MultipartPart& part() const noexcept { return part_; }
  // Until the next call, or the end of the bytes given to it.
  std::string_view data() const noexcept { return data_; }
  MultipartFault fault() const noexcept { return fault_; }

 private:
  enum class State : std::uint8_t { preamble, line, header, body, part_end, done, failed };
  enum class Tail : std::uint8_t { start, hyphen, blanks, cr };  // what a boundary line has had behind it

  Event fail(MultipartFault fault) noexcept;
  bool find_boundary(std::string_view& bytes);
  Event preamble(std::string_view& bytes);
  Event line(std::string_view& bytes);
  Event header(std::string_view& bytes);
  Event body(std::string_view& bytes);
  MultipartFault read_header();

  std::string_view dash_boundary() const noexcept { return std::string_view(delimiter_).substr(2); }
  // Begins behind the CRLF that a boundary at the very start has not got.
  void expect_boundary() noexcept {
    matched_ = 2;
    unreal_ = 2;
  }

  MultipartLimits limits_;
  std::string delimiter_;  // CRLF, two hyphens, the boundary
  State state_ = State::preamble;
  Tail tail_ = Tail::start;
  MultipartFault fault_ = MultipartFault::none;
  std::size_t matched_ = 0;  // of the delimiter, at the end of what was read
  std::size_t unreal_ = 0;   // how many of those were not read
  std::size_t pieces_ = 1;
  std::size_t preamble_ = 0;
  std::uint64_t size_ = 0;
  std::string head_;  // of the part at hand, up to its empty line
  MultipartPart part_;
  std::string_view data_;
};

}  // namespace squall::http
