// The decoders of compressed bodies. The first byte of an input selects the coding, the second the size of
// input pieces and of output space. Every size gives the same output or the same refusal, and never more
// output than the bounds allow.

#include <squall/http/codec/content_decoder.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

constexpr std::uint64_t kMaxSize = 2 * 1024 * 1024;
constexpr std::uint64_t kMaxRatio = 50;

struct Outcome {
  std::string text;
  int status = 0;
};

// Pieces of `step` bytes go in, and up to `room` bytes at a time come out.
Outcome decode(std::string_view coding, std::string_view input, std::size_t step, std::size_t room) {
  BoundedDecoder::Limits limits;
  limits.max_size = kMaxSize;
  limits.max_ratio = kMaxRatio;
  BoundedDecoder decoder(make_content_decoder(coding), limits);
  Outcome outcome;
  std::string output(room, '\0');
  std::size_t used = 0;
  while (used < input.size() && !decoder.refusal()) {
    // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
    const std::string piece(input.substr(used, step));
    std::string_view rest = piece;
    for (;;) {
      const std::size_t before = rest.size();
      const std::size_t made = decoder.decode(rest, output);
      FUZZ_CHECK(made <= room && rest.size() <= before);
      outcome.text.append(output, 0, made);
      if (made == room) continue;
      FUZZ_CHECK(rest.empty() || decoder.refusal());
      break;
    }
    used += piece.size();
  }
  FUZZ_CHECK(outcome.text.size() <= kMaxSize);
  FUZZ_CHECK(outcome.text.size() <= std::max(BoundedDecoder::kFreeOutput, (input.size() + 1) * kMaxRatio));
  FUZZ_CHECK(decoder.finish() == !decoder.refusal());
  outcome.status = decoder.refusal().status;
  // A decoder that has refused input stays in that state.
  if (outcome.status != 0) {
    std::string_view more = "more";
    FUZZ_CHECK(decoder.decode(more, output) == 0 && decoder.refusal().status == outcome.status);
  }
  return outcome;
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  constexpr std::string_view kCodings[] = {"gzip", "deflate", "br", "zstd"};
  const std::string_view coding = kCodings[static_cast<unsigned char>(input[0]) % std::size(kCodings)];
  if (!make_content_decoder(coding)) return;
  const unsigned how = static_cast<unsigned char>(input[1]);
  input.remove_prefix(2);
  const Outcome whole = decode(coding, input, input.size() + 1, 64 * 1024);
  FUZZ_CHECK(whole.status == 0 || whole.status == 400 || whole.status == 413);
  for (const std::size_t step : {std::size_t{1}, std::size_t{how % 16} + 2}) {
    const Outcome cut = decode(coding, input, step, how / 16 * 100 + 1);
    // Refused input may be refused a piece earlier or later, for its first fault.
    FUZZ_CHECK((cut.status == 0) == (whole.status == 0));
    const std::size_t common = std::min(cut.text.size(), whole.text.size());
    FUZZ_CHECK(cut.text.compare(0, common, whole.text, 0, common) == 0);
    if (whole.status == 0) FUZZ_CHECK(cut.text.size() == whole.text.size());
  }
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::http::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
