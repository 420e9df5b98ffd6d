#pragma once

#include <squall/http/codec/content_decoder.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace squall::http {

// Decodes `gzip` with all its members (RFC 1952, 2.2), and `deflate`: the zlib format, or the bare deflated
// data that some peers send (RFC 9110, 8.4.1.2).
class GzipDecoder final : public ContentDecoder {
 public:
  enum class Format { gzip, deflate };

  explicit GzipDecoder(Format format, TrailingZeros zeros = TrailingZeros::refused);
  ~GzipDecoder() override;

  std::size_t decode(std::string_view& input, std::span<char> output) override;

 private:
  struct Stream;
  void begin(int window_bits);

  std::unique_ptr<Stream> stream_;
  Format format_;
  TrailingZeros zeros_;
  bool begun_ = false;  // false until the first byte of input
};

}  // namespace squall::http
