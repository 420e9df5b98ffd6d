#include <squall/http/codec/zstd_encoder.h>

#include <squall/http/codec/encoder_window.h>

#include <zstd.h>

#include <algorithm>
#include <new>

namespace squall::http {
namespace {

constexpr int kLeastZstdWindow = 10;  // of the format
constexpr int kMostZstdWindow = 19;

ZSTD_EndDirective zstd_directive(ContentEncoder::Then then) noexcept {
  if (then == ContentEncoder::Then::end) return ZSTD_e_end;
  return then == ContentEncoder::Then::flush ? ZSTD_e_flush : ZSTD_e_continue;
}

}  // namespace

ZstdEncoder::ZstdEncoder(int level, std::optional<std::uint64_t> size) : zstd_(::ZSTD_createCCtx()) {
  if (!zstd_) throw std::bad_alloc();
  ::ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, std::clamp(level, 1, 19));
  ::ZSTD_CCtx_setParameter(zstd_, ZSTD_c_windowLog, window_bits_for(size, kLeastZstdWindow, kMostZstdWindow));
}

ZstdEncoder::~ZstdEncoder() { ::ZSTD_freeCCtx(zstd_); }

void ZstdEncoder::encode(std::string_view input, Then then, std::string& out) {
  ZSTD_inBuffer in{input.data(), input.size(), 0};
  char space[16 * 1024];
  for (;;) {
    ZSTD_outBuffer made{space, sizeof space, 0};
    const std::size_t left = ::ZSTD_compressStream2(zstd_, &made, &in, zstd_directive(then));
    if (::ZSTD_isError(left)) throw std::bad_alloc();
    out.append(space, made.pos);
    if (then == Then::more ? in.pos == in.size : left == 0) return;
  }
}

}  // namespace squall::http
