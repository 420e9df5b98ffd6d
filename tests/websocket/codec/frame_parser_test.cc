#include <squall/websocket/codec/frame_parser.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/byte_by_byte.h"
#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::frame_parser_test {
namespace {

using testing::from_hex;
using Options = FrameParser::Options;
using Result = FrameParser::Result;

constexpr MaskKey kKey{'\x37', '\xfa', '\x21', '\x3d'};

// The parser's results as a text that does not depend on the pieces: messages and control frames, each behind
// its kind; `+` for a message that is not complete; the code of a fault in brackets.
class Log {
 public:
  explicit Log(const Options& options) : parser_(options) {}

  void feed(std::string_view input) {
    std::string copy(input);  // the parser changes it; AddressSanitizer finds a read beyond it
    std::span<char> bytes(copy);
    for (;;) {
      std::string_view payload;
      switch (parser_.parse(bytes, payload)) {
        case Result::more: CHECK(bytes.empty()); return;
        case Result::failed: fault_ = parser_.fault().code; return;
        case Result::data:
          CHECK((!payload.empty() || parser_.ends_message()));
          message_ += payload;
          if (parser_.ends_message()) end_message();
          break;
        case Result::control: take_control(payload); break;
      }
    }
  }
  std::string text() const {
    std::string text = text_;
    if (!message_.empty()) text += "+" + message_;
    if (fault_ != 0) text += '[' + std::to_string(fault_) + ']';
    return text;
  }
  const FrameParser& parser() const { return parser_; }

 private:
  void end_message() {
    text_ += parser_.message() == Opcode::text ? "text" : "binary";
    text_ += (parser_.is_compressed() ? "*=" : "=") + message_ + ' ';
    message_.clear();
  }
  void take_control(std::string_view payload) {
    text_ += parser_.control() == Opcode::ping   ? "ping="
             : parser_.control() == Opcode::pong ? "pong="
                                                 : "close=";
    text_.append(payload).append(" ");
  }

  FrameParser parser_;
  std::string text_;
  std::string message_;
  std::uint16_t fault_ = 0;
};

Options for_client(bool has_deflate = false) { return {.role = Role::client, .has_deflate = has_deflate}; }

// The same result for pieces of every size up to 20, and for every cut into two pieces.
std::string parsed(std::string_view bytes, const Options& options) {
  Log whole(options);
  whole.feed(bytes);
  for (std::size_t step = 1; step < 20; ++step) {
    Log log(options);
    for (std::size_t at = 0; at < bytes.size(); at += step) log.feed(bytes.substr(at, step));
    if (log.text() != whole.text())
      FAIL("pieces of " << step << ": " << log.text() << ", not " << whole.text());
  }
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Log log(options);
    log.feed(bytes.substr(0, cut));
    log.feed(bytes.substr(cut));
    if (log.text() != whole.text()) FAIL("cut at " << cut << ": " << log.text() << ", not " << whole.text());
  }
  return whole.text();
}

std::string from_server(std::string_view hex, bool has_deflate = false) {
  return parsed(from_hex(hex), for_client(has_deflate));
}

std::string frame(Opcode opcode, std::string_view payload, bool fin = true, std::optional<MaskKey> key = {}) {
  std::string bytes;
  append_frame(bytes, {.opcode = opcode, .fin = fin, .key = key}, payload);
  return bytes;
}

TEST_CASE("frames are read as the wire vectors have them (WSK-V1 to WSK-V6)", "[frame_parser]") {
  CHECK(from_server("81 05 48 65 6c 6c 6f") == "text=Hello ");
  CHECK(parsed(from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), {}) == "text=Hello ");
  const std::string zeros(65536, '\0');
  CHECK(parsed(from_hex("82 7e 00 7e") + zeros.substr(0, 126), for_client()) ==
        "binary=" + zeros.substr(0, 126) + ' ');
  Log log(for_client());
  log.feed(from_hex("82 7f 00 00 00 00 00 01 00 00") + zeros);
  CHECK(log.text() == "binary=" + zeros + ' ');
  CHECK(from_server("89 04 70 69 6e 67") == "ping=ping ");
  CHECK(from_server("88 05 03 e8 62 79 65") == "close=" + from_hex("03e8") + "bye ");
}

TEST_CASE("a message goes on over fragments, with control frames between them (WSK-45)", "[frame_parser]") {
  const auto masked = [](Opcode opcode, std::string_view payload, bool fin) {
    return frame(opcode, payload, fin, kKey);
  };
  const std::string bytes =
      masked(Opcode::text, "Hello, ", false) + masked(Opcode::ping, "are you there?", true) +
      masked(Opcode::continuation, "", false) + masked(Opcode::continuation, "world", false) +
      masked(Opcode::pong, "", true) + masked(Opcode::continuation, "", true) +
      masked(Opcode::binary, "", true) + masked(Opcode::text, "again", true);
  CHECK(parsed(bytes, {}) == "ping=are you there? pong= text=Hello, world binary= text=again ");
}

TEST_CASE("a control frame may have 125 bytes and no fragments (WSK-41)", "[frame_parser]") {
  const std::string most(125, 'x');
  CHECK(parsed(frame(Opcode::ping, most, true, kKey), {}) == "ping=" + most + ' ');
  CHECK(from_server("89 7e 00 7e") == "[1002]");
  CHECK(from_server("8a 7f 00 00 00 00 00 00 00 01") == "[1002]");
  CHECK(from_server("09 00") == "[1002]");
  CHECK(from_server("08 02 03 e8") == "[1002]");
}

TEST_CASE("a fault is found in the first two bytes of a frame", "[frame_parser]") {
  for (const char* const hex : {"c1 05", "91 05", "a1 05", "83 05", "87 05", "8b 05", "8f 05", "89 7e",
                                "09 05", "80 05", "00 05", "81 85"}) {
    CAPTURE(hex);
    CHECK(from_server(hex) == "[1002]");
    CHECK(from_server("81 01 61" + std::string(hex)) == "text=a [1002]");
  }
}

TEST_CASE("reserved bits are a protocol error, but for RSV1 with permessage-deflate (WSK-40)",
          "[frame_parser]") {
  CHECK(from_server("c1 01 61", true) == "text*=a ");
  CHECK(from_server("c2 01 61", true) == "binary*=a ");
  CHECK(from_server("41 01 61 80 01 62", true) == "text*=ab ");
  CHECK(from_server("41 01 61 80 01 62 81 01 63", true) == "text*=ab text=c ");
  CHECK(from_server("d1 01 61", true) == "[1002]");
  CHECK(from_server("e1 01 61", true) == "[1002]");
}

TEST_CASE("RSV1 on a control frame or a continuation is a protocol error (WSK-64a)", "[frame_parser]") {
  CHECK(from_server("c9 00", true) == "[1002]");
  CHECK(from_server("c8 00", true) == "[1002]");
  CHECK(from_server("41 01 61 c0 01 62", true) == "+a[1002]");
  CHECK(from_server("41 01 61 89 00 80 01 62", true) == "ping= text*=ab ");
}

TEST_CASE("frames out of order are a protocol error (WSK-42)", "[frame_parser]") {
  CHECK(from_server("80 01 61") == "[1002]");
  CHECK(from_server("81 01 61 80 01 62") == "text=a [1002]");
  CHECK(from_server("01 01 61 81 01 62") == "+a[1002]");
  CHECK(from_server("01 01 61 02 01 62") == "+a[1002]");
  CHECK(from_server("01 00 89 00 01 00") == "ping= [1002]");
}

TEST_CASE("every opcode that has no meaning is a protocol error (WSK-42)", "[frame_parser]") {
  for (int opcode = 0; opcode < 16; ++opcode) {
    CAPTURE(opcode);
    const bool is_known = opcode == 1 || opcode == 2 || (opcode >= 8 && opcode <= 10);
    const std::string bytes{static_cast<char>(0x80 | opcode), '\0'};
    CHECK((parsed(bytes, for_client()) != "[1002]") == is_known);
  }
}

TEST_CASE("a server refuses frames without a mask unless it is told to accept them (WSK-37)",
          "[frame_parser]") {
  CHECK(parsed(from_hex("81 01 61"), {}) == "[1002]");
  CHECK(parsed(from_hex("89 00"), {}) == "[1002]");
  CHECK(parsed(from_hex("81 01 61") + frame(Opcode::text, "b", true, kKey), {.accepts_unmasked = true}) ==
        "text=a text=b ");
}

TEST_CASE("a client refuses frames with a mask (RFC 6455, 5.1)", "[frame_parser]") {
  CHECK(parsed(frame(Opcode::text, "b", true, kKey), for_client()) == "[1002]");
  CHECK(parsed(frame(Opcode::ping, "", true, kKey), {.role = Role::client, .accepts_unmasked = true}) ==
        "[1002]");
}

TEST_CASE("a size that is not in its shortest form is a protocol error (RFC 6455, 5.2)", "[frame_parser]") {
  CHECK(from_server("82 7e 00 7d") == "[1002]");
  CHECK(from_server("82 7e 00 00") == "[1002]");
  CHECK(from_server("82 7f 00 00 00 00 00 00 ff ff") == "[1002]");
  CHECK(from_server("82 7e 00 7e").empty());
  CHECK(from_server("82 7f 00 00 00 00 00 01 00 00").empty());
}

TEST_CASE("a size with the top bit is a protocol error, whatever the limits are (RFC 6455, 5.2)",
          "[frame_parser]") {
  CHECK(from_server("82 7f 80 00 00 00 00 00 00 00") == "[1002]");
  CHECK(from_server("82 7f ff ff ff ff ff ff ff ff") == "[1002]");
  const Options no_limit{.role = Role::client, .max_message_size = std::nullopt};
  CHECK(parsed(from_hex("82 7f ff ff ff ff ff ff ff ff"), no_limit) == "[1002]");
  CHECK(parsed(from_hex("82 7f 7f ff ff ff ff ff ff ff 61"), no_limit) == "+a");
}

TEST_CASE("a message above the limit fails with 1009 before its payload arrives (WSK-44, SEC-61)",
          "[frame_parser]") {
  CHECK(from_server("82 7f 00 00 00 00 00 a0 00 00").empty());
  CHECK(from_server("82 7f 00 00 00 00 00 a0 00 01") == "[1009]");
  CHECK(from_server("82 7f 7f ff ff ff ff ff ff ff") == "[1009]");
  const Options small{.role = Role::client, .max_message_size = 4};
  CHECK(parsed(from_hex("82 04 61 62 63 64"), small) == "binary=abcd ");
  CHECK(parsed(from_hex("82 05"), small) == "[1009]");
  // The sum of the fragments; a control frame does not count, and the next message begins anew.
  CHECK(parsed(from_hex("02 02 61 62 89 05 31 32 33 34 35 80 02 63 64 82 04 61 62 63 64"), small) ==
        "ping=12345 binary=abcd binary=abcd ");
  CHECK(parsed(from_hex("02 02 61 62 80 02 63 64 02 02 61 62 80 02 63 64"), small) ==
        "binary=abcd binary=abcd ");
  CHECK(parsed(from_hex("02 02 61 62 80 03"), small) == "+ab[1009]");
  CHECK(parsed(from_hex("02 04 61 62 63 64 00 00 80 01"), small) == "+abcd[1009]");
  CHECK(parsed(from_hex("82 00 82 01"), {.role = Role::client, .max_message_size = 0}) == "binary= [1009]");
  // With a mask, too, the size alone shows the fault.
  CHECK(parsed(from_hex("82 85"), {.max_message_size = 4}) == "[1009]");
}

TEST_CASE("a frame above its own limit fails with 1009", "[frame_parser]") {
  const Options small{.role = Role::client, .max_frame_size = 2};
  CHECK(parsed(from_hex("02 02 61 62 00 02 63 64 80 01 65 89 03 31 32 33"), small) ==
        "binary=abcde ping=123 ");
  CHECK(parsed(from_hex("02 03"), small) == "[1009]");
}

TEST_CASE("the sum of fragments cannot wrap around", "[frame_parser]") {
  const Options no_limit{.role = Role::client, .max_message_size = std::nullopt};
  Log log(no_limit);
  log.feed(from_hex("02 01 61 80 7f 7f ff ff ff ff ff ff ff 62"));
  CHECK(log.text() == "+ab");
  CHECK(log.parser().frame_left() == 0x7ffffffffffffffe);
}

TEST_CASE("bytes behind a close frame are dropped (WSK-51)", "[frame_parser]") {
  CHECK(from_server("88 00 81 01 61 ff ff ff") == "close= ");
  CHECK(from_server("88 02 03 e8 88 02 03 e9") == "close=" + from_hex("03e8") + ' ');
}

TEST_CASE("a parser that has failed stays failed", "[frame_parser]") {
  CHECK(from_server("83 00 81 01 61") == "[1002]");
  CHECK(from_server("81 01 61 83 00 81 01 62") == "text=a [1002]");
}

TEST_CASE("a payload is unmasked in its place, without a copy", "[frame_parser]") {
  FrameParser parser((Options()));
  std::string input = frame(Opcode::text, "Hello", true, kKey);
  std::span<char> bytes(input);
  std::string_view payload;
  REQUIRE(parser.parse(bytes, payload) == Result::data);
  CHECK(payload == "Hello");
  CHECK(payload.data() == input.data() + 6);
  CHECK(bytes.empty());
  CHECK(parser.frame_left() == 0);
}

TEST_CASE("a piece of a frame is given at once, with the size of the rest", "[frame_parser]") {
  FrameParser parser(for_client());
  std::string input = from_hex("01 05 48 65 6c");
  std::span<char> bytes(input);
  std::string_view payload;
  REQUIRE(parser.parse(bytes, payload) == Result::data);
  CHECK(payload == "Hel");
  CHECK(parser.message() == Opcode::text);
  CHECK(parser.frame_left() == 2);
  CHECK_FALSE(parser.ends_message());
  CHECK(parser.parse(bytes, payload) == Result::more);
}

// Of the bytes that are left, the payload and the kind; empty if take_message() took nothing.
std::string taken(std::string bytes, const Options& options) {
  FrameParser parser(options);
  const std::string before = bytes;
  std::span<char> left(bytes);
  std::string_view payload;
  if (!parser.take_message(left, payload)) {
    CHECK((bytes == before && left.size() == bytes.size() && parser.is_idle()));
    return "";
  }
  CHECK((parser.is_idle() && parser.ends_message() && !parser.is_compressed()));
  std::string text = parser.message() == Opcode::text ? "text=" : "binary=";
  return text.append(payload).append(" ").append(left.data(), left.size());
}

TEST_CASE("take_message() takes a whole message that parse() would give, and nothing else",
          "[frame_parser]") {
  for (const bool is_server : {true, false}) {
    const Options options{.role = is_server ? Role::server : Role::client, .has_deflate = true};
    int count = 0;
    // All first two bytes of a head, with a payload of the size that they give.
    for (unsigned head = 0; head < 0x10000; ++head) {
      const unsigned size = head & 0x7f;
      std::string bytes{static_cast<char>(head >> 8), static_cast<char>(head & 0xff)};
      if (size == 126) bytes += std::string("\0\x7e", 2);
      if (size == 127) bytes += std::string("\0\0\0\0\0\1\0\0", 8);
      bytes += std::string((head & 0x80) != 0 ? 4 : 0, 'k');
      bytes += std::string(size == 127 ? 0x10000 : size, 'p');
      const std::string result = taken(bytes, options);
      if (result.empty()) continue;
      ++count;
      CHECK(parsed(bytes, options) == result);
    }
    CHECK(count == 2 * 127);  // text and binary, of up to 126 bytes, with the mask of the role or without
  }
}

TEST_CASE("take_message() leaves what is cut, too long, too large or inside of a message to parse()",
          "[frame_parser]") {
  const std::string whole = frame(Opcode::text, std::string(300, 'x'), true, kKey);
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(taken(whole.substr(0, size), Options()).empty());
  CHECK(taken(whole + "next", Options()) == "text=" + std::string(300, 'x') + " next");
  CHECK(taken(whole, {.max_message_size = 299}).empty());
  CHECK(taken(whole, {.max_frame_size = 299}).empty());
  CHECK(taken(from_hex("81fe007d") + std::string(200, 'x'), Options()).empty());  // not the shortest form
  CHECK(taken(from_hex("8101 78"), {.accepts_unmasked = true}).empty());
  FrameParser parser((Options()));
  std::string bytes = frame(Opcode::text, "a", false, kKey) + whole;
  std::span<char> left(bytes);
  std::string_view payload;
  CHECK_FALSE(parser.take_message(left, payload));
  CHECK(parser.parse(left, payload) == Result::data);
  CHECK_FALSE(parser.take_message(left, payload));
  CHECK(parser.parse(left, payload) == Result::failed);  // a message inside of another one
}

TEST_CASE("parsing takes linear time for long messages and for many fragments, byte by byte (SEC-65)",
          "[frame_parser]") {
  const auto count_bytes = [](const std::string& input) {
    FrameParser parser((Options()));
    std::size_t count = 0;
    testing::feed_byte_by_byte(input, [&](std::string_view byte) {
      char copy = byte.front();
      std::span<char> bytes(&copy, 1);
      std::string_view payload;
      while (parser.parse(bytes, payload) == Result::data) count += payload.size();
    });
    return count;
  };
  CHECK(count_bytes(frame(Opcode::binary, std::string(1'000'000, 'x'), true, kKey)) == 1'000'000);
  std::string fragments = frame(Opcode::binary, "", false, kKey);
  const std::string empty = frame(Opcode::continuation, "", false, kKey);
  const std::string one = frame(Opcode::continuation, "x", false, kKey);
  for (int i = 0; i < 100'000; ++i) fragments.append(empty).append(one);
  CHECK(count_bytes(fragments) == 100'000);
}

TEST_CASE("the options of parsers are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<FrameParser::Options>);
  CHECK(Options{.role = Role::client, .max_frame_size = 3}.max_frame_size == 3u);
}

TEST_CASE("a parser is small", "[frame_parser]") { CHECK(sizeof(FrameParser) <= 64); }

}  // namespace
}  // namespace squall::websocket::frame_parser_test
