#include <squall/web/static/multipart_ranges.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/random_bytes.h>

#include <fmt/format.h>

namespace squall::web {
namespace {

std::string random_boundary() {
  std::string text;
  append_lower_hex(text, squall::detail::random_bytes<16>());
  return text;
}

}  // namespace

MultipartRanges::MultipartRanges(std::span<const http::ByteRange> ranges, std::uint64_t size,
                                 std::string_view content_type)
    : boundary_(random_boundary()) {
  const std::string type =
      content_type.empty() ? std::string() : fmt::format("Content-Type: {}\r\n", content_type);
  for (const http::ByteRange& range : ranges) {
    heads_.push_back(fmt::format("{}--{}\r\n{}Content-Range: {}\r\n\r\n", heads_.empty() ? "" : "\r\n",
                                 boundary_, type, http::format_content_range(range, size)));
    length_ += heads_.back().size() + range.size();
  }
  end_ = fmt::format("\r\n--{}--\r\n", boundary_);
  length_ += end_.size();
}

}  // namespace squall::web
