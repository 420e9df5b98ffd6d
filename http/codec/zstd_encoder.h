#pragma once

#include <squall/http/codec/content_encoder.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct ZSTD_CCtx_s;

namespace squall::http {

// Makes `zstd` (RFC 8878), in one frame. Part of the library if it was built with libzstd.
class ZstdEncoder final : public ContentEncoder {
 public:
  ZstdEncoder(int level, std::optional<std::uint64_t> size);
  ~ZstdEncoder() override;

  void encode(std::string_view input, Then then, std::string& out) override;

 private:
  ZSTD_CCtx_s* zstd_;
};

}  // namespace squall::http
