#include <squall/http/codec/zstd_decoder.h>

#include <zstd.h>

#include <new>

namespace squall::http {

ZstdDecoder::ZstdDecoder() : zstd_(::ZSTD_createDCtx()) {
  if (!zstd_) throw std::bad_alloc();
  constexpr int kWindowLog = 23;
  ::ZSTD_DCtx_setParameter(zstd_, ZSTD_d_windowLogMax, kWindowLog);
}

ZstdDecoder::~ZstdDecoder() { ::ZSTD_freeDCtx(zstd_); }

std::size_t ZstdDecoder::decode(std::string_view& input, std::span<char> output) {
  ZSTD_outBuffer out{output.data(), output.size(), 0};
  while (state_ != State::failed && out.pos < out.size) {
    if (state_ == State::end && input.empty()) break;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    const std::size_t made = out.pos;
    const std::size_t result = ::ZSTD_decompressStream(zstd_, &out, &in);
    input.remove_prefix(in.pos);
    if (::ZSTD_isError(result)) {
      state_ = State::failed;
    } else {
      state_ = result == 0 ? State::end : State::open;
      if (in.pos == 0 && out.pos == made) break;
    }
  }
  return out.pos;
}

}  // namespace squall::http
