#include <squall/http/codec/content_encoder.h>

#include <squall/http/codec/gzip_encoder.h>
#ifdef SQUALL_HAS_BROTLI
#include <squall/http/codec/brotli_encoder.h>
#endif
#ifdef SQUALL_HAS_ZSTD
#include <squall/http/codec/zstd_encoder.h>
#endif

namespace squall::http {

std::unique_ptr<ContentEncoder> make_content_encoder(std::string_view coding, const ContentLevels& levels,
                                                     std::optional<std::uint64_t> size) {
  if (coding == "gzip") return std::make_unique<GzipEncoder>(levels.gzip, size);
#ifdef SQUALL_HAS_BROTLI
  if (coding == "br") return std::make_unique<BrotliEncoder>(levels.brotli, size);
#endif
#ifdef SQUALL_HAS_ZSTD
  if (coding == "zstd") return std::make_unique<ZstdEncoder>(levels.zstd, size);
#endif
  return nullptr;
}

std::span<const std::string_view> offered_content_codings() noexcept {
  static constexpr std::string_view kCodings[] = {
#ifdef SQUALL_HAS_ZSTD
      "zstd",
#endif
#ifdef SQUALL_HAS_BROTLI
      "br",
#endif
      "gzip",
  };
  return kCodings;
}

}  // namespace squall::http
