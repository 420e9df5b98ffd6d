#pragma once

#include <squall/http/message/range.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The text around the ranges of a 206 with several ranges (RFC 9110, 14.6): a head before each range, and the
// end.
class MultipartRanges {
 public:
  // `content_type` and `size`, in bytes, describe the whole file. The boundary is random, so that no file
  // contains it. Throws std::system_error if the system has no random bytes.
  MultipartRanges(std::span<const http::ByteRange> ranges, std::uint64_t size, std::string_view content_type);

  // The Content-Type of the response.
  std::string content_type() const { return "multipart/byteranges; boundary=" + boundary_; }
  // The size of the body: the ranges and the text around them.
  std::uint64_t length() const noexcept { return length_; }
  // The text before the range with that index.
  const std::string& head(std::size_t index) const noexcept { return heads_[index]; }
  const std::string& end() const noexcept { return end_; }

 private:
  std::string boundary_;
  std::vector<std::string> heads_;
  std::string end_;
  std::uint64_t length_ = 0;
};

}  // namespace squall::web
