// The memory and the time that a peer can take from a MessageReader (SEC-61 to SEC-66).

#include <squall/ioloop/base/sanitizer.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/codec/message_reader.h>

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "support/byte_by_byte.h"
#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::hostile_messages_test {
namespace {

using testing::from_hex;
using Options = MessageReader::Options;
using Result = MessageReader::Result;

// A reader, and the most memory that it had after any piece.
class Victim {
 public:
  explicit Victim(const Options& options) : before_(in_use()), reader_(options) {}

  // The result of the last piece, after all pieces of `size` bytes.
  Result feed(std::string_view bytes, std::size_t size = kPiece) {
    Result result = Result::more;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
      const std::string_view piece = bytes.substr(0, size);
      result = feed_piece({copy_, std::copy(piece.begin(), piece.end(), copy_)});
    }
    return result;
  }
  // The same for `bytes` that arrive `count` times. This takes no memory itself.
  Result feed_often(std::string_view bytes, std::size_t count) {
    Result result = Result::more;
    while (count > 0) {
      const std::size_t fit = std::min(count, kPiece / bytes.size());
      char* end = copy_;
      for (std::size_t i = 0; i < fit; ++i) end = std::copy(bytes.begin(), bytes.end(), end);
      result = feed_piece({copy_, end});
      count -= fit;
    }
    return result;
  }
  std::size_t most() const {
    return kAddressSanitizer || kThreadSanitizer ? 0 : most_;  // their allocators do not count
  }
  std::size_t now() const {
    return kAddressSanitizer || kThreadSanitizer || in_use() < before_ ? 0 : in_use() - before_;
  }
  const MessageReader& reader() const { return reader_; }

 private:
  static constexpr std::size_t kPiece = 4096;

  static std::size_t in_use() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  }
  Result feed_piece(std::span<char> rest) {
    Result result = Result::more;
    do {
      result = reader_.read(rest);
      if (in_use() > before_) most_ = std::max(most_, in_use() - before_);
    } while (!rest.empty() && result != Result::failed);
    time_.step();
    return result;
  }

  std::size_t before_;
  MessageReader reader_;
  std::size_t most_ = 0;
  char copy_[kPiece];
  testing::LinearTime time_;
};

constexpr std::size_t kMegabyte = 1'000'000;

TEST_CASE("a million empty fragments take no memory", "[hostile]") {
  Victim victim({.role = Role::client, .max_message_size = kMegabyte});
  victim.feed(from_hex("01 00"));
  CHECK(victim.feed_often(from_hex("00 00"), kMegabyte) == Result::more);
  CHECK(victim.most() < 1000);
  CHECK(victim.feed(from_hex("80 00")) == Result::text);
  CHECK(victim.reader().payload().empty());
}

TEST_CASE("an unfinished message of a million fragments takes no more memory than max_message_size",
          "[hostile]") {
  // The first fragment determines the capacities; the last two sizes give one just below the limit.
  for (const std::size_t first : {1, 65'000, 499'999, 999'998}) {
    CAPTURE(first);
    std::string head;
    append_frame(head, {.opcode = Opcode::text, .fin = false}, std::string(first, 'a'));
    Victim victim({.role = Role::client, .max_message_size = kMegabyte});
    victim.feed(head);
    CHECK(victim.feed_often(from_hex("00 01 62"), kMegabyte - first) == Result::more);
    CHECK(victim.most() < kMegabyte + 4096);  // malloc() adds a page
    CHECK(victim.reader().payload().size() <= kMegabyte);
    // One byte more is too much.
    CHECK(victim.feed(from_hex("00 01 63")) == Result::failed);
    CHECK(victim.reader().fault().code == close_code::kMessageTooBig);
  }
}

TEST_CASE("a message of a million fragments is joined whole", "[hostile]") {
  Victim victim({.role = Role::client, .max_message_size = kMegabyte});
  victim.feed(from_hex("01 00"));
  victim.feed_often(from_hex("00 01 61"), kMegabyte);
  CHECK(victim.feed(from_hex("80 00")) == Result::text);
  CHECK(victim.reader().payload() == std::string(kMegabyte, 'a'));
}

TEST_CASE("a frame that only announces a large size gets little memory", "[hostile]") {
  Victim victim({.role = Role::client, .max_message_size = 100 * kMegabyte});
  victim.feed(from_hex("02 7f 00 00 00 00 05 00 00 00 61"));
  CHECK(victim.most() < 100'000);
}

TEST_CASE("a compressed message of a million fragments takes the memory of its decompressor and its text",
          "[hostile]") {
  // Each fragment is a block of one byte that is not compressed.
  const std::string more = from_hex("00 06 00 01 00 fe ff 61");
  Victim victim({.role = Role::client, .max_message_size = kMegabyte, .deflate = DeflateWindow()});
  victim.feed(from_hex("41 06 00 01 00 fe ff 61"));
  CHECK(victim.feed_often(more, kMegabyte / 6 - 1) == Result::more);
  CHECK(victim.most() < kMegabyte + 100'000);
  CHECK(victim.reader().payload().size() == kMegabyte / 6);
}

TEST_CASE("a deflate bomb is stopped at max_message_size, in one frame, in many, and byte by byte (SEC-62)",
          "[hostile]") {
  MessageCompressor compressor({}, {.level = 9});
  std::string bomb;
  const std::string zeros(1024 * 1024, '\0');
  for (int i = 0; i < 64; ++i) compressor.compress(zeros, Part::more, bomb);
  compressor.compress("", Part::last, bomb);
  REQUIRE(bomb.size() < 70'000);  // a thousandth of the message
  const Options options{.role = Role::client, .max_message_size = kMegabyte, .deflate = DeflateWindow()};
  const auto check = [&](const std::string& bytes, std::size_t piece) {
    Victim victim(options);
    CHECK(victim.feed(bytes, piece) == Result::failed);
    CHECK(victim.reader().fault().code == close_code::kMessageTooBig);
    CHECK(victim.most() < kMegabyte + 100'000);
    // The connection waits for its peer to close, without the message.
    CHECK(victim.now() < 4096);
  };
  std::string whole;
  append_frame(whole, {.opcode = Opcode::binary, .compressed = true}, bomb);
  check(whole, 4096);
  check(whole, 1);
  std::string fragments;
  for (std::size_t at = 0; at < bomb.size(); at += 10) {
    FrameHead head{.opcode = at == 0 ? Opcode::binary : Opcode::continuation, .fin = at + 10 >= bomb.size()};
    head.compressed = at == 0;
    append_frame(fragments, head, std::string_view(bomb).substr(at, 10));
  }
  check(fragments, 4096);
}

TEST_CASE("a million pings between two fragments take no memory, and the message goes on (WSK-45)",
          "[hostile]") {
  Victim victim({.role = Role::client, .max_message_size = kMegabyte});
  victim.feed(from_hex("01 01 61"));
  CHECK(victim.feed_often(from_hex("89 02 68 69"), kMegabyte) == Result::ping);
  CHECK(victim.most() < 2000);
  CHECK(victim.feed(from_hex("80 01 62")) == Result::text);
  CHECK(victim.reader().payload() == "ab");
}

}  // namespace
}  // namespace squall::websocket::hostile_messages_test
