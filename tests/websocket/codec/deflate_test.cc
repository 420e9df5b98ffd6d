#include <squall/websocket/codec/deflate.h>

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "support/byte_by_byte.h"
#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::deflate_test {
namespace {

using testing::from_hex;
using testing::to_hex;

constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);

std::string compressed(MessageCompressor& compressor, std::string_view message) {
  std::string out;
  compressor.compress(message, Part::last, out);
  return out;
}

// The message, or the code of the fault in brackets.
std::string decompressed(MessageDecompressor& decompressor, std::string_view bytes,
                         std::size_t max_size = kNoLimit) {
  std::string out;
  const Fault fault = decompressor.decompress(bytes, Part::last, max_size, out);
  return fault ? '[' + std::to_string(fault.code) + ']' : out;
}
std::string decompressed(std::string_view bytes, std::size_t max_size = kNoLimit) {
  MessageDecompressor decompressor({});
  return decompressed(decompressor, bytes, max_size);
}

// Bytes without a pattern, the same in every run.
std::string noise(std::size_t size) {
  std::string bytes;
  for (std::uint64_t state = 1; bytes.size() < size;
       state = state * 6364136223846793005u + 1442695040888963407u)
    bytes += static_cast<char>(state >> 56);
  return bytes;
}

std::string words(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "word " + std::to_string(i * 7919 % 1000) + ", ";
  return text;
}

TEST_CASE("messages with context are compressed as the wire vectors have them (WSK-V10, WSK-63)",
          "[deflate]") {
  MessageCompressor compressor({}, {});
  CHECK(to_hex(compressed(compressor, "Hello")) == "f248cdc9c90700");
  CHECK(to_hex(compressed(compressor, "Hello")) == "f200110000");
}

TEST_CASE("without context takeover each message is compressed alone (WSK-V11)", "[deflate]") {
  MessageCompressor compressor({.context_takeover = false}, {});
  for (int i = 0; i < 3; ++i) CHECK(to_hex(compressed(compressor, "Hello")) == "f248cdc9c90700");
}

TEST_CASE("an empty message is one zero byte, as often as it is sent (WSK-V12; RFC 7692, 7.2.3.6)",
          "[deflate]") {
  for (const bool takeover : {true, false}) {
    MessageCompressor compressor({.context_takeover = takeover}, {});
    MessageDecompressor decompressor({.context_takeover = takeover});
    for (const std::string_view message : {"", "", "a", "", "", "Hello", ""}) {
      const std::string bytes = compressed(compressor, message);
      if (message.empty()) CHECK(to_hex(bytes) == "00");
      CHECK(decompressed(decompressor, bytes) == message);
    }
  }
}

TEST_CASE(
    "the wire vectors and the examples of RFC 7692, 7.2.3 are decompressed (WSK-V10 to WSK-V12, WSK-64)",
    "[deflate]") {
  MessageDecompressor decompressor({});
  CHECK(decompressed(decompressor, from_hex("f248cdc9c90700")) == "Hello");
  CHECK(decompressed(decompressor, from_hex("f200110000")) == "Hello");
  CHECK(decompressed(decompressor, from_hex("f248cdc9c90700")) == "Hello");
  CHECK(decompressed(decompressor, from_hex("00")).empty());
  CHECK(decompressed(from_hex("00 05 00 fa ff 48 65 6c 6c 6f 00")) == "Hello");  // not compressed: 7.2.3.3
  CHECK(decompressed(from_hex("f3 48 cd c9 c9 07 00 00")) == "Hello");           // BFINAL: 7.2.3.4
  CHECK(decompressed(from_hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")) == "Hello");  // two blocks: 7.2.3.5
}

TEST_CASE("a block with BFINAL may be followed by others, or end the message (RFC 7692, 7.2.3.4)",
          "[deflate]") {
  const std::string final = from_hex("f3 48 cd c9 c9 07 00");
  CHECK(decompressed(final + final + from_hex("00")) == "HelloHello");
  CHECK(decompressed(final) == "Hello");
  MessageDecompressor decompressor({});
  CHECK(decompressed(decompressor, final) == "Hello");
  // The next message may refer to this one.
  CHECK(decompressed(decompressor, from_hex("f200110000")) == "Hello");
  MessageDecompressor forgetful({.context_takeover = false});
  CHECK(decompressed(forgetful, final) == "Hello");
  CHECK(decompressed(forgetful, from_hex("f200110000")) == "[1007]");
}

TEST_CASE("each window and each way to cut a message give the message again", "[deflate]") {
  const std::string messages[] = {words(3000), "", noise(40000), words(3000), std::string(100'000, 'x'), "a"};
  for (int bits = 8; bits <= 15; ++bits)
    for (const bool takeover : {true, false}) {
      CAPTURE(bits, takeover);
      const DeflateWindow window{.bits = bits, .context_takeover = takeover};
      MessageCompressor compressor(window, {.level = bits % 9 + 1, .memory_level = bits % 9 + 1});
      MessageDecompressor decompressor(window);
      for (const std::string& message : messages) {
        std::string bytes;
        const std::size_t third = message.size() / 3;
        compressor.compress(std::string_view(message).substr(0, third), Part::more, bytes);
        compressor.compress(std::string_view(message).substr(third), Part::more, bytes);
        compressor.compress("", Part::last, bytes);
        std::string out;
        CHECK_FALSE(decompressor.decompress(std::string_view(bytes).substr(0, bytes.size() / 2), Part::more,
                                            kNoLimit, out));
        CHECK_FALSE(decompressor.decompress(std::string_view(bytes).substr(bytes.size() / 2), Part::last,
                                            kNoLimit, out));
        REQUIRE((out == message));
      }
    }
}

// zlib itself with a window of 256 bytes and one byte of output space at a time: it refuses any distance
// beyond the window.
std::string inflated_with_8_bits(std::string bytes) {
  z_stream zlib{};
  REQUIRE(::inflateInit2(&zlib, -8) == Z_OK);
  bytes += from_hex("0000ffff");
  zlib.next_in = reinterpret_cast<Bytef*>(bytes.data());
  zlib.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    char byte = 0;
    zlib.next_out = reinterpret_cast<Bytef*>(&byte);
    zlib.avail_out = 1;
    result = ::inflate(&zlib, Z_NO_FLUSH);
    if (zlib.avail_out == 0) out += byte;
  }
  ::inflateEnd(&zlib);
  return result == Z_BUF_ERROR ? out : "refused";
}

TEST_CASE("with 8 window bits no distance exceeds 256 bytes, although zlib compresses with 9 (WSK-61)",
          "[deflate]") {
  std::string message;
  // Every distance from 1 to 600 that a match could have.
  for (std::size_t distance = 1; distance <= 600; ++distance) {
    const std::string gap = noise(distance + 4);
    message += gap + gap;
  }
  message += words(2000);
  for (const int level : {1, 3, 6, 9}) {
    CAPTURE(level);
    MessageCompressor compressor({.bits = 8}, {.level = level});
    CHECK((inflated_with_8_bits(compressed(compressor, message)) == message));
  }
  MessageCompressor wider({.bits = 10}, {});
  CHECK(inflated_with_8_bits(compressed(wider, message)) == "refused");
}

TEST_CASE("a message may be decompressed byte by byte, into space of any size", "[deflate]") {
  const std::string message = words(500);
  MessageCompressor compressor({}, {});
  const std::string bytes = compressed(compressor, message);
  for (const std::size_t room : {1, 2, 7, 1000, 100'000}) {
    MessageDecompressor decompressor({});
    for (int round = 0; round < 2; ++round) {
      std::string out;
      std::string space(room, '\0');
      for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string_view byte = std::string_view(bytes).substr(at, 1);
        const Part part = at + 1 == bytes.size() ? Part::last : Part::more;
        std::size_t made = room;
        while (made == room) {
          made = decompressor.decompress_some(byte, part, space);
          out.append(space, 0, made);
        }
        REQUIRE_FALSE(decompressor.failed());
        REQUIRE(byte.empty());
      }
      REQUIRE((out == message));
    }
  }
}

TEST_CASE(
    "a message of exactly max_size is accepted, and a larger one stops there with 1009 (WSK-65, SEC-62)",
    "[deflate]") {
  for (const std::size_t size : {1000, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100'000}) {
    CAPTURE(size);
    MessageCompressor compressor({}, {});
    const std::string bytes = compressed(compressor, std::string(size, 'x'));
    CHECK(decompressed(bytes, size).size() == size);
    CHECK(decompressed(bytes, size - 1) == "[1009]");
    MessageDecompressor decompressor({});
    std::string out;
    CHECK(decompressor.decompress(bytes, Part::last, size - 1, out).code == 1009);
    CHECK(out.size() == size - 1);
  }
  CHECK(decompressed(from_hex("00"), 0).empty());
  CHECK(decompressed(from_hex("f248cdc9c90700"), 0) == "[1009]");
  // Data behind the limit is not looked at.
  CHECK(decompressed(from_hex("f248cdc9c90700 00000000"), 4) == "[1009]");
  CHECK(decompressed(from_hex("f248cdc9c90700 00000000"), 5) == "[1007]");
}

TEST_CASE("a bomb takes no more memory than the limit (SEC-62)", "[deflate]") {
  MessageCompressor compressor({}, {.level = 9});
  std::string bomb;
  const std::string zeros(1024 * 1024, '\0');
  for (int i = 0; i < 64; ++i) compressor.compress(zeros, Part::more, bomb);
  compressor.compress("", Part::last, bomb);
  MessageDecompressor decompressor({});
  std::string out;
  CHECK(decompressor.decompress(bomb, Part::last, 100'000, out).code == 1009);
  CHECK(out.size() == 100'000);
  CHECK(out.capacity() <= 100'000);
}

TEST_CASE("corrupt data and a message that is cut are 1007, and stay so (WSK-66, SEC-66)", "[deflate]") {
  const std::string good = from_hex("f248cdc9c90700");
  for (const char* const hex : {"ff", "06", "f248", "f248cdc9c9", "f248cdc9c907", "00 05 00 fa ff 48 65",
                                "00 05 00 fa fe 48 65 6c 6c 6f 00", "f200110000", "05", "",
                                "f248cdc9c90700 0000ffff", "f3 48 cd c9 c9 07 00 ff"}) {
    CAPTURE(hex);
    MessageDecompressor decompressor({});
    CHECK(decompressed(decompressor, from_hex(hex)) == "[1007]");
    CHECK(decompressor.failed());
    CHECK(decompressed(decompressor, good) == "[1007]");
  }
  MessageDecompressor decompressor({});
  std::string out;
  CHECK_FALSE(decompressor.decompress(from_hex("f248cdc9c90700"), Part::more, kNoLimit, out));
  CHECK(decompressor.decompress(from_hex("00000000"), Part::more, kNoLimit, out).code == 1007);
  CHECK(out == "Hello");
}

TEST_CASE("decompressing takes linear time byte by byte, also for a million empty blocks", "[deflate]") {
  const auto check = [](std::string_view block, std::size_t count) {
    std::string input;
    for (std::size_t i = 0; i < count; ++i) input += block;
    MessageDecompressor decompressor({});
    std::string out;
    bool is_good = true;
    testing::feed_byte_by_byte(input, [&](std::string_view byte) {
      is_good = is_good && !decompressor.decompress(byte, Part::more, 1000, out);
    });
    CHECK(is_good);
    CHECK_FALSE(decompressor.decompress(from_hex("00"), Part::last, 1000, out));
    CHECK(out.empty());
  };
  check(from_hex("03 00"), 500'000);           // with BFINAL
  check(from_hex("00 00 00 ff ff"), 200'000);  // without
}

}  // namespace
}  // namespace squall::websocket::deflate_test
