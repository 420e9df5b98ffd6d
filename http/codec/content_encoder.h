#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace squall::http {

// Applies a content coding (RFC 9110, 8.4.1), piece by piece. Pure: bytes in, bytes out.
//
// Thread:    one.
// Errors:    std::bad_alloc; the object is of no use afterwards.
class ContentEncoder {
 public:
  enum class Then : std::uint8_t {
    more,   // the encoder may keep bytes back, for a better compression
    flush,  // a decoder gets all bytes so far, at the cost of some bytes
    end,    // the coded data is complete; no further call is allowed
  };

  virtual ~ContentEncoder() = default;

  // Codes all of `input`, and appends the coded bytes to `out`.
  virtual void encode(std::string_view input, Then then, std::string& out) = 0;
};

// The level of each coding: more is smaller and slower. Levels outside the range of a coding are moved to its
// nearest end.
struct ContentLevels {
  int gzip = 6;    // 1 to 9 (WEB-183)
  int brotli = 4;  // 0 to 11; the levels from 10 on are too slow for responses that are made anew
  int zstd = 3;    // 1 to 19: higher levels need larger windows than browsers accept (RFC 9659)
};

// Makes an encoder for `gzip`, and for `br` and `zstd` if the library was built with them. Null for any other
// coding. If `size` is about the size of all input, a small input needs less memory; windows are at most
// 512 KiB. Throws std::bad_alloc.
std::unique_ptr<ContentEncoder> make_content_encoder(std::string_view coding,
                                                     const ContentLevels& levels = {},
                                                     std::optional<std::uint64_t> size = std::nullopt);

// The codings of make_content_encoder(), the fastest for its compression first: `zstd`, `br`, `gzip`.
std::span<const std::string_view> offered_content_codings() noexcept;

}  // namespace squall::http
