#pragma once

#include <squall/http/codec/content_decoder.h>

#include <memory>

namespace squall::http {

// Decodes `gzip`, all members of it (RFC 1952, 2.2), and `deflate`, which is the zlib format, or what some
// clients send for it: deflated data without that (RFC 9110, 8.4.1.2).
class GzipDecoder final : public ContentDecoder {
 public:
  enum class Format { gzip, deflate };

  explicit GzipDecoder(Format format);
  ~GzipDecoder() override;

  std::size_t decode(std::string_view& input, std::span<char> output) override;

 private:
  struct Stream;
  void begin(int window_bits);

  std::unique_ptr<Stream> stream_;
  Format format_;
  bool begun_ = false;  // the first byte has been seen
};

}  // namespace squall::http
