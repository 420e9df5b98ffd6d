#pragma once

#include <squall/http/message/headers.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// The reason for which a multipart/form-data body is refused.
enum class MultipartFault : std::uint8_t {
  none,
  disabled,
  wrong_type,
  no_boundary,
  no_final_boundary,
  malformed,  // a malformed boundary line, or a disposition other than form-data
  missing_headers,
  missing_name,
  repeated_parameter,  // two names or file names, which readers would resolve differently
  invalid_header,
  invalid_utf8,
  header_too_large,
  too_many_parts,
  too_large,
};
// The text for logs: `no final boundary found`.
std::string_view describe(MultipartFault fault) noexcept;

// Limits of a multipart body.
struct MultipartLimits {
  bool enabled = true;
  // Pieces between boundaries, including the empty one before the first boundary: 99 parts pass (HUT-64).
  std::size_t max_parts = 100;
  std::size_t max_part_header_size = 10 * 1024;
  // Bytes of the whole body; std::nullopt is no limit. The server has its own limit too.
  std::optional<std::uint64_t> max_size{};
  // Bytes before the first boundary. RFC 2046 allows them, RFC 7578 does not use them, and HUT-82 refuses
  // them.
  std::size_t max_preamble_size = 0;
};

// The boundary parameter of a Content-Type. nullopt without a valid boundary (RFC 2046, 5.1.1): 1 to 70
// characters of its set, without a space at the end. The media type is not checked.
std::optional<std::string> multipart_boundary(std::string_view content_type);

// A part of a form. The name has the client's bytes: browsers write `"` as %22, which is not decoded. A
// file name may contain a path or be `..`: never use it as a path.
struct MultipartPart {
  Headers headers;
  std::string name;
  std::string filename;      // empty for a field
  std::string content_type;  // as sent; `application/unknown` for a file without one

  bool is_file() const noexcept { return !filename.empty(); }
};

// Receives the events of MultipartParser::feed().
class MultipartDelegate {
 public:
  virtual ~MultipartDelegate() = default;
  virtual void part_begin(const MultipartPart& part) = 0;
  // A piece of the part, valid during the call. The boundaries of pieces have no meaning.
  virtual void part_data(std::string_view data) = 0;
  virtual void part_end() = 0;
  // After the last part.
  virtual void finish() {}
};

// Parses a stream of multipart/form-data (RFC 7578), cut anywhere. It stores only the headers of the current
// part, so the memory does not depend on the size of files.
//
// A boundary is at the beginning of a line, which ends with CRLF, perhaps after blanks; `--BOUNDARY--` ends
// the form, and bytes behind it are ignored. Ambiguous input of RFC 2046 is a fault. Part headers must be
// UTF-8; a field `_charset_` has no special meaning, and Content-Transfer-Encoding is ignored (RFC 7578,
// 4.7).
//
// Use either feed() with a delegate, or next() where the program has to await between events; feed() is a
// loop of next().
//
// state    | waits for                       | ends it                              | next
// preamble | the first boundary              | the boundary                         | line
// line     | the rest of a boundary line     | CRLF; `--`                           | header; done
// header   | the empty line behind a head    | the empty line; another boundary     | body; line
// body     | the next boundary               | the boundary                         | part_end
// part_end | the next call                   | Event::part_end                      | line
// done     | -                               | -                                    | all bytes are ignored
// failed   | -                               | -                                    | all calls fail
//
// Thread:    one.
// Errors:    fault(), after which all calls fail. Linear time.
// Source:    RFC 7578; HUT-60 to HUT-84.
class MultipartParser {
 public:
  enum class Event : std::uint8_t {
    more,      // all bytes are consumed
    part,      // a part begins: see part()
    data,      // a piece of the part: see data()
    part_end,  // the part ends
    finished,  // the form ends; later calls return `more`
    failed,    // see fault()
  };

  // A boundary that multipart_boundary() would not return is a fault at once.
  explicit MultipartParser(std::string_view boundary, const MultipartLimits& limits = {});

  // The next event. Removes the consumed bytes from the front of `bytes`.
  Event next(std::string_view& bytes);
  // False after a fault.
  bool feed(std::string_view bytes, MultipartDelegate& delegate);
  // The body has ended: false unless the form has ended.
  bool end() noexcept;

  // Valid from Event::part to the next Event::part.
  const MultipartPart& part() const noexcept { return part_; }
  // Valid until the next call, and as long as the bytes of the call.
  std::string_view data() const noexcept { return data_; }
  MultipartFault fault() const noexcept { return fault_; }

 private:
  enum class State : std::uint8_t { preamble, line, header, body, part_end, done, failed };
  enum class Tail : std::uint8_t { start, hyphen, blanks, cr };  // the last byte behind a boundary

  Event fail(MultipartFault fault) noexcept;
  bool find_boundary(std::string_view& bytes);
  Event preamble(std::string_view& bytes);
  Event line(std::string_view& bytes);
  Event header(std::string_view& bytes);
  Event body(std::string_view& bytes);
  MultipartFault read_header();

  std::string_view dash_boundary() const noexcept { return std::string_view(delimiter_).substr(2); }
  // Expects a boundary at the start of the body, without its CRLF.
  void expect_boundary() noexcept {
    matched_ = 2;
    unreal_ = 2;
  }

  MultipartLimits limits_;
  std::string delimiter_;  // CRLF, two hyphens, the boundary
  State state_ = State::preamble;
  Tail tail_ = Tail::start;
  MultipartFault fault_ = MultipartFault::none;
  std::size_t matched_ = 0;  // bytes of the delimiter at the end of the input so far
  std::size_t unreal_ = 0;   // how many of those were not in the input: see expect_boundary()
  std::size_t pieces_ = 1;
  std::size_t preamble_ = 0;
  std::uint64_t size_ = 0;
  std::string head_;  // of the current part, up to its empty line
  MultipartPart part_;
  std::string_view data_;
};

}  // namespace squall::http
