#pragma once

#include <squall/http/codec/content_decoder.h>

#include <cstddef>
#include <span>
#include <string_view>

struct ZSTD_DCtx_s;

namespace squall::http {

// Decodes `zstd` (RFC 8878) with all its frames, and windows of up to 8 MiB (RFC 9659). Part of the library
// if it was built with libzstd.
class ZstdDecoder final : public ContentDecoder {
 public:
  ZstdDecoder();
  ~ZstdDecoder() override;

  std::size_t decode(std::string_view& input, std::span<char> output) override;

 private:
  ZSTD_DCtx_s* zstd_;
};

}  // namespace squall::http
