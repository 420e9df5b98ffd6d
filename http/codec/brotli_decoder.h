#pragma once

#include <squall/http/codec/content_decoder.h>

#include <cstddef>
#include <span>
#include <string_view>

struct BrotliDecoderStateStruct;

namespace squall::http {

// Decodes `br` (RFC 7932). Part of the library if it was built with libbrotlidec.
class BrotliDecoder final : public ContentDecoder {
 public:
  BrotliDecoder();
  ~BrotliDecoder() override;

  std::size_t decode(std::string_view& input, std::span<char> output) override;

 private:
  BrotliDecoderStateStruct* brotli_;
};

}  // namespace squall::http
