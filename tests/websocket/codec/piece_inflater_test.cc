#include <squall/websocket/codec/piece_inflater.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::piece_inflater_test {
namespace {

using testing::from_hex;

std::string deflated(std::string_view bytes) {
  std::string out;
  MessageCompressor(DeflateWindow(), DeflateOptions()).compress(bytes, Part::last, out);
  return out;
}

struct Inflated {
  std::string text;
  std::uint16_t fault = 0;
  std::size_t largest = 0;  // piece
  bool has_ended = false;
};

// The compressed bytes arrive in parts of `step` bytes.
Inflated inflate(std::string_view bytes, std::size_t step, const PieceLimits& limits = {},
                 std::uint64_t before = 0) {
  MessageDecompressor decompressor{DeflateWindow()};
  PieceInflater inflater(decompressor, limits, before);
  Inflated result;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    inflater.feed(bytes.substr(at, step), at + step < bytes.size() ? Part::more : Part::last);
    while (inflater.has_more()) {
      std::string_view piece;
      const Fault fault = inflater.next(piece);
      result.text += piece;
      result.largest = std::max(result.largest, piece.size());
      result.fault = fault.code;
      if (fault) return result;
    }
  }
  result.has_ended = inflater.has_ended();
  return result;
}

TEST_CASE("a message is decompressed in pieces of bounded size", "[inflater]") {
  std::string message;
  for (int i = 0; i < 20'000; ++i) message += std::to_string(i * 7919);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, PieceInflater::kSpace, message.size()}) {
    const std::string text = message.substr(0, size);
    const std::string bytes = deflated(text);
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, bytes.size()}) {
      CAPTURE(size, step);
      const Inflated result = inflate(bytes, step);
      CHECK(result.text == text);
      CHECK(result.has_ended);
      CHECK(result.largest <= PieceInflater::kSpace);
    }
  }
}

TEST_CASE("beyond the limit of the size the fault is 1009, and the bytes before it are given", "[inflater]") {
  const std::string text(50'000, 'x');
  const std::string bytes = deflated(text);
  CHECK(inflate(bytes, 10, {.max_size = 50'000}).has_ended);
  CHECK(inflate(bytes, 10, {.max_size = 49'000}, 0).text.size() == 49'000);
  CHECK(inflate(bytes, 10, {.max_size = 49'999}).fault == 1009);
  CHECK(inflate(bytes, 10, {.max_size = 0}).fault == 1009);
  CHECK(inflate(bytes, 10, {.max_size = 60'000}, 10'000).has_ended);
  CHECK(inflate(bytes, 10, {.max_size = 60'000}, 10'001).fault == 1009);
  CHECK(inflate(bytes, 10, {.max_size = std::nullopt}).has_ended);
}

TEST_CASE("a message that expands too much fails, but for its first megabyte", "[inflater]") {
  const std::string bomb = deflated(std::string(4 * PieceLimits::kFreeOutput, 'x'));
  const Inflated result = inflate(bomb, bomb.size());
  CHECK(result.fault == 1009);
  CHECK(result.text.size() > PieceLimits::kFreeOutput);
  CHECK(result.text.size() <= PieceLimits::kFreeOutput + PieceInflater::kSpace);
  CHECK(inflate(bomb, bomb.size(), {.max_ratio = 2000}).has_ended);
  CHECK(inflate(bomb, bomb.size(), {.max_ratio = std::nullopt}).has_ended);
  CHECK(inflate(bomb, bomb.size(), {.max_ratio = 0}).fault == 1009);
  CHECK(inflate(deflated("Hello"), 1, {.max_ratio = 0}).has_ended);
  CHECK(inflate(deflated(std::string(PieceLimits::kFreeOutput, 'x')), 100).has_ended);
}

TEST_CASE("bytes that are not deflated fail with 1007 behind what is right", "[inflater]") {
  const std::string bytes = from_hex("f248cdc9c907000000ffff ff");  // the last block has no known type
  CHECK(inflate(bytes, bytes.size()).fault == 1007);
  CHECK(inflate(bytes, bytes.size()).text == "Hello");
  CHECK(inflate(from_hex("f248cd"), 3).fault == 1007);  // ends within a block
}

}  // namespace
}  // namespace squall::websocket::piece_inflater_test
