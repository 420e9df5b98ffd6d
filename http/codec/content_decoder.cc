#include <squall/http/codec/content_decoder.h>

#include <squall/http/codec/gzip_decoder.h>
#include <squall/ioloop/base/ascii.h>
#ifdef SQUALL_HAS_BROTLI
#include <squall/http/codec/brotli_decoder.h>
#endif
#ifdef SQUALL_HAS_ZSTD
#include <squall/http/codec/zstd_decoder.h>
#endif

namespace squall::http {

std::unique_ptr<ContentDecoder> make_content_decoder(std::string_view coding, TrailingZeros zeros) {
  const auto is = [coding](std::string_view known) { return equals_ignoring_case(coding, known); };
  if (is("gzip") || is("x-gzip")) return std::make_unique<GzipDecoder>(GzipDecoder::Format::gzip, zeros);
  if (is("deflate")) return std::make_unique<GzipDecoder>(GzipDecoder::Format::deflate, zeros);
#ifdef SQUALL_HAS_BROTLI
  if (is("br")) return std::make_unique<BrotliDecoder>();
#endif
#ifdef SQUALL_HAS_ZSTD
  if (is("zstd")) return std::make_unique<ZstdDecoder>();
#endif
  return nullptr;
}

std::string_view known_content_codings() noexcept {
  return "gzip, deflate"
#ifdef SQUALL_HAS_BROTLI
         ", br"
#endif
#ifdef SQUALL_HAS_ZSTD
         ", zstd"
#endif
      ;
}

std::size_t BoundedDecoder::decode(std::string_view& input, std::span<char> output) {
  if (refusal_) return 0;
  const std::size_t before = input.size();
  const std::size_t made = decoder_->decode(input, output);
  input_ += before - input.size();
  output_ += made;
  if (decoder_->state() == ContentDecoder::State::failed) {
    refusal_ = {400, "Malformed compressed body"};
  } else if (output_ > limits_.max_size) {
    refusal_ = {413, "Decompressed body too large"};
  } else if (limits_.max_ratio && output_ > kFreeOutput &&
             (*limits_.max_ratio == 0 || output_ / *limits_.max_ratio > input_)) {
    refusal_ = {413, "Body compressed too much"};
  }
  return refusal_ ? 0 : made;
}

bool BoundedDecoder::finish() noexcept {
  if (refusal_) return false;
  // Clients send an empty body without any coded data.
  if (input_ > 0 && decoder_->state() != ContentDecoder::State::end)
    refusal_ = {400, "Compressed body ends too early"};
  return !refusal_;
}

}  // namespace squall::http
