#include <squall/ioloop/base/sanitizer.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/codec/message_reader.h>

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "support/byte_by_byte.h"
#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::message_reader_test {
namespace {

using testing::from_hex;
using Options = MessageReader::Options;
using Result = MessageReader::Result;

// The kinds and payloads of the results; the code of a fault in brackets.
class Log {
 public:
  explicit Log(const Options& options) : reader_(options) {}

  // False once the reader has failed.
  bool feed(std::string_view input) {
    std::string copy(input);  // the reader changes it; AddressSanitizer finds a read beyond it
    std::span<char> bytes(copy);
    for (;;) {
      const Result result = reader_.read(bytes);
      if (result == Result::more) return true;
      if (result == Result::failed) {
        if (!has_failed_) text_ += '[' + std::to_string(reader_.fault().code) + ']';
        has_failed_ = true;
        return false;
      }
      add(result);
    }
  }
  const std::string& text() const { return text_; }

 private:
  void add(Result result) {
    constexpr const char* kNames[] = {"", "text=", "binary=", "ping=", "pong=", "close=", ""};
    text_ += kNames[static_cast<int>(result)];
    if (result == Result::close) {
      const CloseStatus& status = reader_.close_status();
      text_ += status.code ? std::to_string(*status.code) : "none";
      text_.append(":").append(status.reason);
    } else {
      text_ += reader_.payload();
    }
    text_ += ' ';
  }

  MessageReader reader_;
  std::string text_;
  bool has_failed_ = false;
};

Options for_client(std::optional<DeflateWindow> deflate = std::nullopt) {
  return {.role = Role::client, .deflate = deflate};
}

// The same result for pieces of every size up to 20, and for every cut into two pieces.
std::string read(std::string_view bytes, const Options& options) {
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

std::string from_server(std::string_view hex) { return read(from_hex(hex), for_client()); }
std::string deflated_from_server(std::string_view hex) {
  return read(from_hex(hex), for_client(DeflateWindow()));
}

TEST_CASE("messages and control frames are given in their order (WSK-45 to WSK-48)", "[message_reader]") {
  CHECK(from_server("81 05 48 65 6c 6c 6f 82 01 ff 89 04 70 69 6e 67 8a 00 88 05 03 e8 62 79 65 81 01 61") ==
        "text=Hello binary=\xff ping=ping pong= close=1000:bye ");
  CHECK(from_server("01 02 c3 a9 89 01 31 80 01 61 81 00 88 00") ==
        "ping=1 text=\xc3\xa9"
        "a text= close=none: ");
  CHECK(read(from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), {}) == "text=Hello ");
}

TEST_CASE("compressed and other messages alternate (WSK-V13, WSK-64)", "[message_reader]") {
  CHECK(deflated_from_server("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00") == "text=Hello text=Hello ");
  CHECK(deflated_from_server("c1 07 f2 48 cd c9 c9 07 00 81 01 61 c2 05 f2 00 11 00 00 c1 01 00") ==
        "text=Hello text=a binary=Hello text= ");
  const Options alone = for_client(DeflateWindow{.context_takeover = false});
  CHECK(read(from_hex("c1 07 f2 48 cd c9 c9 07 00 c1 07 f2 48 cd c9 c9 07 00"), alone) ==
        "text=Hello text=Hello ");
  CHECK(read(from_hex("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00"), alone) == "text=Hello [1007]");
}

TEST_CASE("a ping between the fragments of a compressed message does not disturb it (WSK-64a)",
          "[message_reader]") {
  CHECK(deflated_from_server("41 03 f2 48 cd 89 00 80 04 c9 c9 07 00") == "ping= text=Hello ");
  CHECK(deflated_from_server("41 03 f2 48 cd 80 04 c9 c9 07 00") == "text=Hello ");
}

TEST_CASE("text that is not UTF-8 fails with 1007, and binary data does not (WSK-43, WSK-50)",
          "[message_reader]") {
  CHECK(from_server("81 01 ff") == "[1007]");
  CHECK(from_server("81 02 e2 82") == "[1007]");
  CHECK(from_server("01 02 e2 82 80 01 28") == "[1007]");
  CHECK(from_server("01 02 e2 82 80 00") == "[1007]");
  CHECK(from_server("82 01 ff 02 01 e2 80 00") == "binary=\xff binary=\xe2 ");
  CHECK(from_server("01 01 e2 00 01 82 89 00 80 01 ac 81 01 61") == "ping= text=\xe2\x82\xac text=a ");
  CHECK(from_server("88 03 03 e8 ff") == "[1007]");
}

TEST_CASE("text fails at the first byte that no UTF-8 text has, before its frame is complete (RFC 6455, 8.1)",
          "[message_reader]") {
  Log log(for_client());
  CHECK(log.feed(from_hex("81 14 ce ba e1 bd b9 cf 83 ce bc ce b5")));
  CHECK(log.feed(from_hex("f4")));
  CHECK_FALSE(log.feed(from_hex("90")));
  CHECK(log.text() == "[1007]");
}

TEST_CASE("compressed text that is not UTF-8 fails with 1007", "[message_reader]") {
  MessageCompressor compressor({}, {});
  std::string bad;
  compressor.compress("Hello \xf4\x90 and more", Part::last, bad);
  std::string frame;
  append_frame(frame, {.opcode = Opcode::text, .compressed = true}, bad);
  CHECK(read(frame, for_client(DeflateWindow())) == "[1007]");
  // The text of a first fragment, before the second arrives: a block of one byte, not compressed.
  Log log(for_client(DeflateWindow()));
  CHECK_FALSE(log.feed(from_hex("41 06 00 01 00 fe ff ff")));
  CHECK(log.text() == "[1007]");
}

TEST_CASE("corrupt compressed data fails with 1007 (WSK-66)", "[message_reader]") {
  CHECK(deflated_from_server("c1 02 f2 48") == "[1007]");
  CHECK(deflated_from_server("c1 01 ff") == "[1007]");
  CHECK(deflated_from_server("81 01 61 c2 00") == "text=a [1007]");
}

TEST_CASE("a message is bounded as received and as decompressed (WSK-44, WSK-65, SEC-61, SEC-62)",
          "[message_reader]") {
  const auto with_limit = [](std::string_view hex, std::size_t limit) {
    return read(from_hex(hex), {.role = Role::client, .max_message_size = limit, .deflate = DeflateWindow()});
  };
  CHECK(with_limit("81 05 48 65 6c 6c 6f", 5) == "text=Hello ");
  CHECK(with_limit("81 05 48 65 6c 6c 6f", 4) == "[1009]");
  CHECK(with_limit("01 03 48 65 6c 80 02 6c 6f", 4) == "[1009]");
  CHECK(with_limit("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00", 7) == "text=Hello text=Hello ");
  CHECK(with_limit("82 01 61 c1 04 f2 00 11 00", 4) == "binary=a [1007]");
  // 12 bytes of 'x', compressed to 6.
  MessageCompressor compressor({}, {});
  std::string payload;
  compressor.compress("xxxxxxxxxxxx", Part::last, payload);
  std::string frame;
  append_frame(frame, {.opcode = Opcode::text, .compressed = true}, payload);
  CHECK(with_limit(testing::to_hex(frame), 12) == "text=xxxxxxxxxxxx ");
  CHECK(with_limit(testing::to_hex(frame), 11) == "[1009]");
}

TEST_CASE("the first of several faults counts, wherever the bytes are cut", "[message_reader]") {
  CHECK(from_server("81 01 61 88 01 03 83 00") == "text=a [1002]");
  CHECK(from_server("88 02 03 ed") == "[1002]");
  // The text is bad before the message is too big.
  MessageCompressor compressor({}, {});
  std::string payload;
  compressor.compress("\xff" + std::string(1000, 'x'), Part::last, payload);
  std::string frame;
  append_frame(frame, {.opcode = Opcode::text, .compressed = true}, payload);
  CHECK(read(frame, {.role = Role::client, .max_message_size = 100, .deflate = DeflateWindow()}) == "[1007]");
}

TEST_CASE("a message that arrives whole is a view into the bytes", "[message_reader]") {
  MessageReader reader(for_client());
  std::string input = from_hex("81 05 48 65 6c 6c 6f 82 01 61");
  std::span<char> bytes(input);
  REQUIRE(reader.read(bytes) == Result::text);
  CHECK(reader.payload().data() == input.data() + 2);
  REQUIRE(reader.read(bytes) == Result::binary);
  CHECK(reader.payload().data() == input.data() + 9);
}

TEST_CASE("joining many fragments takes linear time (SEC-65)", "[message_reader]") {
  std::string input = from_hex("01 00");
  for (int i = 0; i < 200'000; ++i) input += from_hex("00 01 61") + from_hex("00 00");
  input += from_hex("80 00");
  MessageReader reader(for_client());
  std::size_t size = 0;
  testing::feed_byte_by_byte(input, [&](std::string_view byte) {
    char copy = byte.front();
    std::span<char> bytes(&copy, 1);
    if (reader.read(bytes) == Result::text) size = reader.payload().size();
  });
  CHECK(size == 200'000);
}

TEST_CASE("an idle reader is small, also after a large message", "[message_reader]") {
  CHECK(sizeof(MessageReader) <= 240);
  if (kAddressSanitizer || kThreadSanitizer) return;  // their allocators do not count
  MessageReader reader({});
  const std::size_t before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  {
    std::string bytes;
    append_frame(bytes, {.opcode = Opcode::binary, .fin = false, .key = MaskKey{}},
                 std::string(1'000'000, 'a'));
    append_frame(bytes, {.opcode = Opcode::continuation, .key = MaskKey{}}, "b");
    std::span<char> rest(bytes);
    REQUIRE(reader.read(rest) == MessageReader::Result::binary);
    REQUIRE(reader.read(rest) == MessageReader::Result::more);
  }
  CHECK(::mallinfo2().uordblks + ::mallinfo2().hblkhd < before + 100'000);
}

}  // namespace
}  // namespace squall::websocket::message_reader_test
