#include <squall/http/codec/brotli_encoder.h>

#include <squall/http/codec/encoder_window.h>

#include <brotli/encode.h>

#include <algorithm>
#include <new>

namespace squall::http {
namespace {

constexpr int kMostBrotliWindow = 19;

BrotliEncoderOperation brotli_operation(ContentEncoder::Then then) noexcept {
  if (then == ContentEncoder::Then::end) return BROTLI_OPERATION_FINISH;
  return then == ContentEncoder::Then::flush ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_PROCESS;
}

}  // namespace

BrotliEncoder::BrotliEncoder(int level, std::optional<std::uint64_t> size)
    : brotli_(::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
  if (!brotli_) throw std::bad_alloc();
  const auto set = [this](BrotliEncoderParameter parameter, std::uint64_t value) {
    ::BrotliEncoderSetParameter(brotli_, parameter, static_cast<std::uint32_t>(value));
  };
  set(BROTLI_PARAM_QUALITY, static_cast<std::uint64_t>(std::clamp(level, 0, 11)));
  const int window = window_bits_for(size, BROTLI_MIN_WINDOW_BITS, kMostBrotliWindow);
  set(BROTLI_PARAM_LGWIN, static_cast<std::uint64_t>(window));
  if (size) set(BROTLI_PARAM_SIZE_HINT, std::min<std::uint64_t>(*size, std::uint64_t{1} << 30));
}

BrotliEncoder::~BrotliEncoder() { ::BrotliEncoderDestroyInstance(brotli_); }

void BrotliEncoder::encode(std::string_view input, Then then, std::string& out) {
  std::size_t in = input.size();
  auto* next_in = reinterpret_cast<const std::uint8_t*>(input.data());
  std::size_t size = 0;
  do {
    std::size_t room = 0;
    if (!::BrotliEncoderCompressStream(brotli_, brotli_operation(then), &in, &next_in, &room, nullptr,
                                       nullptr))
      throw std::bad_alloc();
    // The encoder stops when it has output, and goes on when it is called again.
    size = 0;
    const std::uint8_t* const coded = ::BrotliEncoderTakeOutput(brotli_, &size);
    out.append(reinterpret_cast<const char*>(coded), size);
  } while (in > 0 || size > 0);
}

}  // namespace squall::http
