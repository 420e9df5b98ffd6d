#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Parts of a representation (RFC 9110, 14).
namespace squall::http {

// From `begin` up to, not with, `end`.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const noexcept { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

// A range as it was asked for, in bytes of something whose size is not known yet: a negative start counts
// from the end; without an end it goes up to that (HUT-95). `bytes=-0`, the last no bytes, is an end of 0.
struct RangeSpec {
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> end;  // exclusive

  bool operator==(const RangeSpec&) const = default;
};

// The one range of a Range header; none if the header is to be ignored, as one that asks for several is, for
// another unit, or is malformed (HUT-95, HUT-96).
std::optional<RangeSpec> parse_range(std::string_view header) noexcept;

// How a request for ranges is to be answered.
struct RangeAnswer {
  enum class Kind : std::uint8_t {
    whole,          // 200, all of it
    partial,        // 206, with `ranges`
    unsatisfiable,  // 416
  };
  Kind kind = Kind::whole;
  std::vector<ByteRange> ranges;

  bool operator==(const RangeAnswer&) const = default;
};

// Of something of `size` bytes. A range that covers all of it is no range (WEB-160 to WEB-167).
RangeAnswer answer_range(const std::optional<RangeSpec>& range, std::uint64_t size);

// For those who answer several ranges at once, as multipart/byteranges: those that overlap or touch are one
// (RFC 9110, 15.3.7.2), in the order of the first of each. A header that asks for more than `max_ranges`, or
// has a malformed one among them, is ignored: many small ranges are an attack (RFC 9110, 17.15).
RangeAnswer answer_ranges(std::string_view header, std::uint64_t size, std::size_t max_ranges = 16);

// `bytes 0-4/10`, of a range that is not empty.
std::string format_content_range(const ByteRange& range, std::uint64_t size);
// `bytes */10`, for a 416.
std::string format_content_range(std::uint64_t size);

struct ContentRange {
  std::optional<ByteRange> range;     // none in a 416
  std::optional<std::uint64_t> size;  // none if the server did not know it

  bool operator==(const ContentRange&) const = default;
};
// Of a response; none if it is malformed, or in another unit, or the range is not within the size.
std::optional<ContentRange> parse_content_range(std::string_view header) noexcept;

// What an If-Range header means: whether the ranges may be answered, as what there is is still what the
// client has parts of (RFC 9110, 13.1.5). `etag` is this one's, empty for none; a weak one never counts, nor
// a date that is not exactly this one's.
bool if_range_holds(std::string_view if_range, std::string_view etag,
                    std::optional<std::chrono::system_clock::time_point> last_modified) noexcept;

}  // namespace squall::http
