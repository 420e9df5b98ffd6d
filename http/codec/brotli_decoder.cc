#include <squall/http/codec/brotli_decoder.h>

#include <brotli/decode.h>

#include <new>

namespace squall::http {

BrotliDecoder::BrotliDecoder() : brotli_(::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
  if (!brotli_) throw std::bad_alloc();
}

BrotliDecoder::~BrotliDecoder() { ::BrotliDecoderDestroyInstance(brotli_); }

std::size_t BrotliDecoder::decode(std::string_view& input, std::span<char> output) {
  if (state_ == State::end && !input.empty()) state_ = State::failed;
  if (state_ != State::open) return 0;
  std::size_t in = input.size();
  auto* next_in = reinterpret_cast<const std::uint8_t*>(input.data());
  std::size_t room = output.size();
  auto* next_out = reinterpret_cast<std::uint8_t*>(output.data());
  const BrotliDecoderResult result =
      ::BrotliDecoderDecompressStream(brotli_, &in, &next_in, &room, &next_out, nullptr);
  input.remove_prefix(input.size() - in);
  if (result == BROTLI_DECODER_RESULT_ERROR) state_ = State::failed;
  if (result == BROTLI_DECODER_RESULT_SUCCESS) state_ = input.empty() ? State::end : State::failed;
  return output.size() - room;
}

}  // namespace squall::http
