// permessage-deflate. The first byte of an input selects the window, the second one the pieces. The rest is
// taken as compressed messages: each way to cut it gives the same bytes and the same fault, within the limit.
// Then it is taken as messages, which are compressed and decompressed again.

#include <squall/websocket/codec/deflate.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::websocket {
namespace {

constexpr std::size_t kMaxSize = 256 * 1024;

struct Outcome {
  std::string text;
  std::uint16_t fault = 0;

  bool operator==(const Outcome&) const = default;
};

// One message in pieces of `step` bytes.
Outcome decompress(MessageDecompressor& decompressor, std::string_view input, std::size_t step) {
  Outcome outcome;
  do {
    // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
    const std::string piece(input.substr(0, step));
    input.remove_prefix(piece.size());
    outcome.fault =
        decompressor.decompress(piece, input.empty() ? Part::last : Part::more, kMaxSize, outcome.text).code;
    FUZZ_CHECK(outcome.text.size() <= kMaxSize);
    FUZZ_CHECK(outcome.fault == 0 || outcome.fault == 1007 || outcome.fault == 1009);
    // After 1009 bad data behind the limit may have been seen.
    FUZZ_CHECK(outcome.fault == 1009 || (outcome.fault == 1007) == decompressor.failed());
  } while (!input.empty() && outcome.fault == 0);
  return outcome;
}

// The same with `room` bytes of space at a time.
Outcome decompress_some(MessageDecompressor& decompressor, std::string_view input, std::size_t step,
                        std::size_t room) {
  Outcome outcome;
  std::string space(room, '\0');
  do {
    const std::string piece(input.substr(0, step));
    input.remove_prefix(piece.size());
    std::string_view rest = piece;
    for (std::size_t made = room; made == room;) {
      made = decompressor.decompress_some(rest, input.empty() ? Part::last : Part::more, space);
      outcome.text.append(space, 0, made);
      if (outcome.text.size() > kMaxSize) {
        outcome.text.resize(kMaxSize);
        outcome.fault = 1009;
        return outcome;
      }
    }
    if (decompressor.failed()) {
      outcome.fault = 1007;
      return outcome;
    }
    FUZZ_CHECK(rest.empty());
  } while (!input.empty());
  return outcome;
}

// The input as messages that end with 0xab.
std::string_view next_message(std::string_view& input) {
  const std::size_t size = std::min(input.find('\xab'), input.size());
  const std::string_view message = input.substr(0, size);
  input.remove_prefix(std::min(size + 1, input.size()));
  return message;
}

void check_decompression(std::string_view input, const DeflateWindow& window, unsigned how) {
  MessageDecompressor whole(window);
  MessageDecompressor bytes(window);
  MessageDecompressor pieces(window);
  MessageDecompressor spaces(window);
  while (!input.empty()) {
    const std::string_view message = next_message(input);
    const Outcome expected = decompress(whole, message, message.size() + 1);
    FUZZ_CHECK(decompress(bytes, message, 1) == expected);
    FUZZ_CHECK(decompress(pieces, message, how % 16 + 2) == expected);
    FUZZ_CHECK(decompress_some(spaces, message, how % 7 + 1, how / 16 * 100 + 1) == expected);
    if (expected.fault != 0) return;
  }
}

void check_round_trip(std::string_view input, const DeflateWindow& window, unsigned how) {
  DeflateOptions options;
  options.level = static_cast<int>(how % 10);
  options.memory_level = static_cast<int>(how / 10 % 9) + 1;
  MessageCompressor compressor(window, options);
  MessageDecompressor decompressor(window);
  while (!input.empty()) {
    std::string_view message = next_message(input);
    if (message.size() > kMaxSize) return;
    std::string compressed;
    const std::size_t first = std::min<std::size_t>(how % 5 * 10, message.size());
    if (first != 0) compressor.compress(message.substr(0, first), Part::more, compressed);
    compressor.compress(message.substr(first), Part::last, compressed);
    FUZZ_CHECK(!compressed.empty() && !compressed.ends_with(std::string_view("\x00\x00\xff\xff", 4)));
    const Outcome outcome = decompress(decompressor, compressed, how % 9 + 1);
    FUZZ_CHECK(outcome.fault == 0 && outcome.text == message);
  }
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  const auto how = static_cast<unsigned char>(input[1]);
  input.remove_prefix(2);
  const DeflateWindow window{.bits = 8 + choice % 8, .context_takeover = choice >= 128};
  check_decompression(input, window, how);
  check_round_trip(input, window, how);
}

}  // namespace
}  // namespace squall::websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::websocket::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
