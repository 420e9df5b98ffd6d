#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Ranges of a representation (RFC 9110, 14).
namespace squall::http {

// The bytes from `begin` to `end`, exclusive.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const noexcept { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

// A requested range of a representation of unknown size. A negative start counts from the end; without an end
// the range extends to the last byte (HUT-95). `bytes=-0`, the last 0 bytes, is an end of 0.
struct RangeSpec {
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> end;  // exclusive

  bool operator==(const RangeSpec&) const = default;
};

// The range of a Range header. nullopt for a header that is ignored: with several ranges, of another unit,
// or malformed (HUT-95, HUT-96).
std::optional<RangeSpec> parse_range(std::string_view header) noexcept;

// The answer to a request for ranges.
struct RangeAnswer {
  enum class Kind : std::uint8_t {
    whole,          // 200, the whole representation
    partial,        // 206, with `ranges`
    unsatisfiable,  // 416
  };
  Kind kind = Kind::whole;
  std::vector<ByteRange> ranges;

  bool operator==(const RangeAnswer&) const = default;
};

// The answer for a representation of `size` bytes. A range of all bytes is answered whole (WEB-160 to
// WEB-167).
RangeAnswer answer_range(const std::optional<RangeSpec>& range, std::uint64_t size);

// The same for servers that answer several ranges, as multipart/byteranges. Ranges that overlap or touch are
// merged (RFC 9110, 15.3.7.2), in the order of the first of each. A header with more than `max_ranges`
// ranges, or a malformed one, is ignored: many small ranges are an attack (RFC 9110, 17.15).
RangeAnswer answer_ranges(std::string_view header, std::uint64_t size, std::size_t max_ranges = 16);

// A Content-Range: `bytes 0-4/10`. The range must not be empty.
std::string format_content_range(const ByteRange& range, std::uint64_t size);
// The Content-Range of a 416: `bytes */10`.
std::string format_content_range(std::uint64_t size);

// A Content-Range header.
struct ContentRange {
  std::optional<ByteRange> range;     // nullopt in a 416
  std::optional<std::uint64_t> size;  // nullopt if the server does not know the size

  bool operator==(const ContentRange&) const = default;
};
// nullopt for a malformed header, another unit, or a range beyond the size.
std::optional<ContentRange> parse_content_range(std::string_view header) noexcept;

// Whether an If-Range header allows an answer with ranges: the representation has not changed since the
// client received a part of it (RFC 9110, 13.1.5). `etag` is the current tag, empty without one. A weak tag
// never holds, and a date only if it is exactly `last_modified`.
bool if_range_holds(std::string_view if_range, std::string_view etag,
                    std::optional<std::chrono::system_clock::time_point> last_modified) noexcept;

}  // namespace squall::http
