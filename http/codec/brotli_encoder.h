#pragma once

#include <squall/http/codec/content_encoder.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct BrotliEncoderStateStruct;

namespace squall::http {

// Makes `br` (RFC 7932). Part of the library if it was built with libbrotlienc.
class BrotliEncoder final : public ContentEncoder {
 public:
  BrotliEncoder(int level, std::optional<std::uint64_t> size);
  ~BrotliEncoder() override;

  void encode(std::string_view input, Then then, std::string& out) override;

 private:
  BrotliEncoderStateStruct* brotli_;
};

}  // namespace squall::http
