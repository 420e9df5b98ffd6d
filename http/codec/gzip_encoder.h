#pragma once

#include <squall/http/codec/content_encoder.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// Makes `gzip` (RFC 1952), in one member without a file name and a time.
class GzipEncoder final : public ContentEncoder {
 public:
  GzipEncoder(int level, std::optional<std::uint64_t> size);
  ~GzipEncoder() override;

  void encode(std::string_view input, Then then, std::string& out) override;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace squall::http
