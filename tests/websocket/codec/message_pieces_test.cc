// A MessageReader that gives messages in pieces, beside one that gives them whole.

#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/codec/piece_inflater.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::message_pieces_test {
namespace {

using testing::from_hex;
using Options = MessageReader::Options;
using Result = MessageReader::Result;

// How a message is read. `left`: its first piece, and then no more.
enum class Way { whole, pieces, left };

// Reads message n in ways[n % ways.size()], and writes the results down: joined, so that a message is written
// in the same way whether it came in pieces or not.
class Log {
 public:
  explicit Log(const Options& options, std::vector<Way> ways = {Way::pieces})
      : reader_(options), ways_(std::move(ways)) {}

  void feed(std::string_view input) {
    std::string copy(input);  // the reader changes it; AddressSanitizer finds a read beyond it
    std::span<char> bytes(copy);
    while (!has_failed_) {
      const Way way = ways_[messages_ % ways_.size()];
      const Result result = way == Way::whole ? reader_.read(bytes) : reader_.read_piece(bytes);
      switch (result) {
        case Result::more: return;
        case Result::text:
        case Result::binary: add_data(way, result); break;
        case Result::dropped: ++dropped_; break;
        case Result::ping: add("ping=", reader_.payload()); break;
        case Result::pong: add("pong=", reader_.payload()); break;
        case Result::close: add("close=", std::to_string(reader_.close_status().code.value_or(0))); break;
        case Result::failed:
          has_failed_ = true;
          text_ += '[' + std::to_string(reader_.fault().code) + ']';
          break;
      }
    }
  }
  const std::string& text() const { return text_; }
  std::size_t largest() const { return largest_; }
  std::size_t dropped() const { return dropped_; }
  MessageReader& reader() { return reader_; }

 private:
  void add(std::string_view name, std::string_view payload) { text_.append(name).append(payload) += ' '; }
  void add_data(Way way, Result result) {
    const std::string_view name = result == Result::text ? "text=" : "binary=";
    if (way != Way::whole) {
      REQUIRE((reader_.is_last_piece() || !reader_.payload().empty()));
      REQUIRE(reader_.is_in_pieces());
      largest_ = std::max(largest_, reader_.payload().size());
    }
    if (way == Way::left) {
      reader_.leave_message();
      text_ += "left ";
      ++messages_;
      return;
    }
    message_ += reader_.payload();
    if (way == Way::pieces) {
      if (!reader_.is_last_piece()) return;
      reader_.leave_message();
    }
    add(name, message_);
    message_.clear();
    ++messages_;
  }

  MessageReader reader_;
  std::vector<Way> ways_;
  std::string text_;
  std::string message_;
  std::size_t messages_ = 0;
  std::size_t largest_ = 0;  // piece
  std::size_t dropped_ = 0;  // pieces
  bool has_failed_ = false;
};

std::string frame(Opcode opcode, std::string_view payload, bool fin = true, bool compressed = false) {
  FrameHead head;
  head.opcode = opcode;
  head.fin = fin;
  head.compressed = compressed;
  head.key = MaskKey{'\x37', '\xfa', '\x21', '\x3d'};
  std::string bytes;
  append_frame(bytes, head, payload);
  return bytes;
}

std::string deflated(std::string_view payload) {
  std::string bytes;
  MessageCompressor(DeflateWindow(), DeflateOptions()).compress(payload, Part::last, bytes);
  return bytes;
}

// A compressed message in one frame.
std::string compressed(std::string_view payload) {
  return frame(Opcode::binary, deflated(payload), true, true);
}

// A block of deflate that holds `size` bytes as they are: each is given at once.
std::string stored(std::uint16_t size) {
  const auto low = [](unsigned n) { return static_cast<char>(n & 0xff); };
  const unsigned other = ~unsigned{size};
  return std::string{'\0', low(size), low(size >> 8), low(other), low(other >> 8)} + std::string(size, 'x');
}

// Messages of all kinds, with control frames between their fragments.
const std::string kMessages =
    frame(Opcode::text, "Hello") + frame(Opcode::binary, "") + frame(Opcode::text, "gr\xc3", false) +
    frame(Opcode::ping, "now") + frame(Opcode::continuation, "", false) + frame(Opcode::pong, "") +
    frame(Opcode::continuation, "\xbc\xc3\x9f!") + frame(Opcode::binary, std::string(130, '\xff')) +
    frame(Opcode::text, from_hex("f248cdc9c90700"), true, true) +
    frame(Opcode::text, from_hex("f20011"), false, true) + frame(Opcode::ping, "") +
    frame(Opcode::continuation, from_hex("0000")) + frame(Opcode::text, "", false) +
    frame(Opcode::continuation, "") + frame(Opcode::text, from_hex("00"), true, true) +
    frame(Opcode::close, from_hex("03e8"));

Options with_deflate(std::size_t max_size = 1'000'000) {
  Options options;
  options.max_message_size = max_size;
  options.deflate = DeflateWindow();
  options.pieces = {.max_size = max_size, .max_ratio = std::nullopt};
  return options;
}

std::string read(std::string_view bytes, std::size_t step, const std::vector<Way>& ways,
                 const Options& options = with_deflate()) {
  Log log(options, ways);
  for (std::size_t at = 0; at < bytes.size(); at += step) log.feed(bytes.substr(at, step));
  return log.text();
}

TEST_CASE("messages in pieces are the same as whole ones, and may be cut at every byte (WSK-45, WSK-64)",
          "[pieces]") {
  const std::string whole = read(kMessages, kMessages.size(), {Way::whole});
  CHECK(whole.ends_with("text=Hello ping= text=Hello text= text= close=1000 "));
  for (std::size_t step = 1; step < 20; ++step) CHECK(read(kMessages, step, {Way::pieces}) == whole);
  for (std::size_t cut = 0; cut <= kMessages.size(); ++cut) {
    CAPTURE(cut);
    Log log(with_deflate());
    log.feed(std::string_view(kMessages).substr(0, cut));
    log.feed(std::string_view(kMessages).substr(cut));
    CHECK(log.text() == whole);
  }
}

TEST_CASE("each message is read in the way that is asked for, whole, in pieces, or only its beginning",
          "[pieces]") {
  const std::string whole = read(kMessages, 1, {Way::whole});
  for (std::size_t step = 1; step <= kMessages.size(); step += 3) {
    CHECK(read(kMessages, step, {Way::whole, Way::pieces}) == whole);
    CHECK(read(kMessages, step, {Way::pieces, Way::whole, Way::whole}) == whole);
    const std::string left = read(kMessages, step, {Way::left, Way::whole, Way::pieces});
    CHECK(left.starts_with("left binary= ping=now pong= text=gr"));
    CHECK(left.ends_with("close=1000 "));
    // The window of the compressor has what was dropped.
    CHECK(read(kMessages, step, {Way::left, Way::pieces}).find("text=Hello") != std::string::npos);
  }
}

// Frames of messages of any kind, some of them damaged.
std::string random_frames(std::mt19937& random) {
  const auto below = [&random](unsigned n) { return static_cast<std::size_t>(random() % n); };
  MessageCompressor compressor{DeflateWindow(), DeflateOptions()};
  std::string bytes;
  for (std::size_t messages = 1 + below(5); messages > 0; --messages) {
    std::string payload;
    for (std::size_t i = below(4) == 0 ? 0 : below(300); i > 0; --i)
      payload += below(4) == 0 ? "\xc3\xbc" : std::string(1, static_cast<char>('a' + below(26)));
    if (below(8) == 0 && !payload.empty()) payload[below(unsigned(payload.size()))] = '\xff';
    const bool is_compressed = below(2) == 0;
    if (is_compressed) {
      std::string out;
      compressor.compress(payload, Part::last, out);
      payload = out;
      if (below(8) == 0) payload[below(unsigned(payload.size()))] ^= 1;
    }
    Opcode opcode = below(2) == 0 ? Opcode::text : Opcode::binary;
    bool is_first = true;
    for (;;) {
      const std::size_t size = below(3) == 0 ? payload.size() : below(unsigned(payload.size()) + 1);
      const bool is_last = size == payload.size();
      bytes += frame(opcode, payload.substr(0, size), is_last, is_first && is_compressed);
      payload.erase(0, size);
      if (below(4) == 0) bytes += frame(Opcode::ping, "p");
      if (is_last) break;
      opcode = Opcode::continuation;
      is_first = false;
    }
  }
  return bytes;
}

TEST_CASE("random messages, also damaged ones, end in the same way in pieces as whole", "[pieces]") {
  std::mt19937 random(14);  // NOLINT: the same messages in each run
  int faults = 0;
  for (int i = 0; i < 400; ++i) {
    CAPTURE(i);
    const std::string bytes = random_frames(random);
    const Options options = with_deflate(200);
    const std::string whole = read(bytes, bytes.size(), {Way::whole}, options);
    faults += whole.ends_with(']');
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      CHECK(read(bytes, step, {Way::pieces}, options) == whole);
      CHECK(read(bytes, step, {Way::pieces, Way::whole}, options) == whole);
    }
  }
  CHECK(faults > 50);
}

TEST_CASE("a message whose beginning read() has collected goes on in pieces", "[pieces]") {
  for (const bool is_compressed : {false, true}) {
    CAPTURE(is_compressed);
    const std::string begin = is_compressed ? from_hex("f248cd") : "Hel";
    std::string bytes = frame(Opcode::text, begin, false, is_compressed);
    std::span<char> unread(bytes);
    MessageReader reader(with_deflate());
    CHECK(reader.read(unread) == Result::more);
    std::string rest = frame(Opcode::continuation, is_compressed ? from_hex("c9c90700") : "lo");
    unread = rest;
    CHECK(reader.read_piece(unread) == Result::text);
    std::string text(reader.payload());
    CHECK(!text.empty());
    CHECK_FALSE(reader.is_last_piece());
    CHECK(unread.size() == rest.size());
    while (!reader.is_last_piece()) {
      REQUIRE(reader.read_piece(unread) == Result::text);
      text += reader.payload();
    }
    CHECK(text == "Hello");
    CHECK_FALSE(reader.is_idle());
  }
}

TEST_CASE("a message of which read_piece() has given nothing may be read whole, within that limit",
          "[pieces]") {
  for (const std::size_t size : {std::size_t{100}, std::size_t{101}}) {
    CAPTURE(size);
    Options options;
    options.max_message_size = 100;
    MessageReader reader(options);
    std::string bytes = frame(Opcode::binary, std::string(size, 'x'));
    std::span<char> head = std::span(bytes).first(bytes.size() - size);
    CHECK(reader.read_piece(head) == Result::more);
    CHECK_FALSE(reader.is_in_pieces());
    std::span<char> payload = std::span(bytes).last(size);
    CHECK(reader.read(payload) == (size == 100 ? Result::binary : Result::failed));
    if (size == 101) CHECK(reader.fault().code == 1009);
  }
}

TEST_CASE("a message in pieces has its own limits: of its size, and of what it expands to (SEC-61, SEC-62)",
          "[pieces]") {
  const std::string bytes = frame(Opcode::binary, std::string(1000, 'x'));
  Options options;
  options.max_message_size = 10;
  CHECK(read(bytes, 100, {Way::pieces}, options).size() == 1008);
  options.pieces.max_size = 999;
  CHECK(read(bytes, 100, {Way::pieces}, options) == "[1009]");
  // The bytes that read() has collected count.
  options.max_message_size = 1'000'000;
  std::string collected = bytes.substr(0, 500);
  std::span<char> unread(collected);
  MessageReader reader(options);
  CHECK(reader.read(unread) == Result::more);
  CHECK(reader.read_piece(unread) == Result::failed);
  CHECK(reader.fault().code == 1009);
  // A bomb, read or left.
  const std::string bomb = compressed(std::string(4'000'000, 'x')) + frame(Opcode::text, "next");
  Options limited = with_deflate();
  CHECK(read(bomb, bomb.size(), {Way::pieces}, limited) == "[1009]");
  CHECK(read(bomb, bomb.size(), {Way::left}, limited) == "left [1009]");
  limited.pieces.max_size = 4'000'000;
  CHECK(read(bomb, bomb.size(), {Way::left, Way::whole}, limited) == "left text=next ");
  limited.pieces.max_ratio = 200;
  CHECK(read(bomb, bomb.size(), {Way::pieces}, limited) == "[1009]");
}

TEST_CASE("what read() has collected of a compressed message counts in all pieces that follow (SEC-61)",
          "[pieces]") {
  for (const std::size_t limit : {std::size_t{3'099}, std::size_t{3'100}}) {
    CAPTURE(limit);
    Options options = with_deflate();
    options.pieces.max_size = limit;
    MessageReader reader(options);
    std::string begin = frame(Opcode::binary, stored(100), false, true);
    std::span<char> unread(begin);
    CHECK(reader.read(unread) == Result::more);
    std::string end = frame(Opcode::continuation, deflated(std::string(3'000, 'x')));
    unread = end;
    CHECK(reader.read_piece(unread) == Result::binary);
    CHECK(reader.payload().size() == 100);
    CHECK(reader.read_piece(unread) == (limit == 3'100 ? Result::binary : Result::failed));
    if (limit == 3'099) CHECK(reader.fault().code == 1009);
  }
}

TEST_CASE("a compressed message may change from pieces to a whole one before it has given anything",
          "[pieces]") {
  Options options = with_deflate();
  MessageReader reader(options);
  std::string begin = frame(Opcode::text, from_hex("f2"), false, true);  // no byte yet
  std::span<char> unread(begin);
  CHECK(reader.read_piece(unread) == Result::more);
  std::string end = frame(Opcode::continuation, from_hex("48cdc9c90700")) + compressed(std::string(500, 'y'));
  unread = end;
  REQUIRE(reader.read(unread) == Result::text);
  CHECK(reader.payload() == "Hello");
  std::string text;
  do {
    REQUIRE(reader.read_piece(unread) == Result::binary);
    text += reader.payload();
  } while (!reader.is_last_piece());
  CHECK(text == std::string(500, 'y'));
}

TEST_CASE("each call drops one piece of a message that was left", "[pieces][hostile]") {
  const std::string bytes = compressed(std::string(1'000'000, 'x')) + frame(Opcode::text, "next");
  for (const bool has_takeover : {true, false}) {
    CAPTURE(has_takeover);
    Options options = with_deflate(1'000'000);
    options.deflate->context_takeover = has_takeover;
    Log log(options, {Way::left, Way::whole});
    log.feed(bytes);
    CHECK(log.text() == "left text=next ");
    // Without context takeover nothing refers to the message: it is not decompressed.
    CHECK(log.dropped() == (has_takeover ? 1'000'000 / PieceInflater::kSpace : 1));
  }
}

TEST_CASE("without context takeover the rest of a message that was left is not looked at", "[pieces]") {
  Options options = with_deflate();
  options.deflate->context_takeover = false;
  const std::string next = compressed("Hello");
  // Its first frame gives a piece; the others are not deflated.
  const std::string damaged = frame(Opcode::text, stored(10), false, true) + frame(Opcode::ping, "p") +
                              frame(Opcode::continuation, "\xff\xff", false) +
                              frame(Opcode::continuation, "\xff");
  CHECK(read(damaged + next, 1, {Way::left, Way::pieces}, options) == "left ping=p binary=Hello ");
  CHECK(read(damaged + next, 1000, {Way::left, Way::whole}, options) == "left ping=p binary=Hello ");
  CHECK(read(damaged + next, 1000, {Way::pieces}, options) == "ping=p [1007]");
}

TEST_CASE("a frame of 2^40 bytes begins to arrive, and only what has arrived is held", "[pieces]") {
  std::string bytes = from_hex("82ff 0000010000000000 00000000");
  bytes.append(100'000, '\0');
  Options options;
  options.pieces.max_size = std::nullopt;
  Log log(options);
  log.feed(bytes);
  CHECK(log.text().empty());
  CHECK(log.largest() == 100'000);  // a view into the bytes
  CHECK(log.reader().is_in_pieces());
  options.pieces.max_size = (std::uint64_t{1} << 40) - 1;
  CHECK(read(bytes, bytes.size(), {Way::pieces}, options) == "[1009]");
}

TEST_CASE("text that is not UTF-8 in a late piece, or that ends within a character, fails with 1007 (WSK-43)",
          "[pieces]") {
  const std::string late = frame(Opcode::text, std::string(1000, 'x'), false) +
                           frame(Opcode::continuation, "yy\xc3", false) + frame(Opcode::continuation, "\xff");
  std::string bytes = late;
  std::span<char> unread(bytes);
  MessageReader reader({});
  CHECK(reader.read_piece(unread) == Result::text);
  CHECK(reader.payload().size() == 1000);
  CHECK(reader.read_piece(unread) == Result::text);
  CHECK(reader.payload() == "yy\xc3");
  CHECK(reader.read_piece(unread) == Result::failed);
  CHECK(reader.fault().code == 1007);
  CHECK(read(frame(Opcode::text, "x\xc3"), 1, {Way::pieces}) == "[1007]");
  Log cut({});
  cut.feed(frame(Opcode::text, "x\xc3"));
  CHECK(cut.text() == "[1007]");
  CHECK_FALSE(cut.reader().is_in_pieces());
  CHECK(read(frame(Opcode::binary, "x\xc3"), 1, {Way::pieces}) == "binary=x\xc3 ");
}

TEST_CASE("behind a message in pieces the reader owns no memory of it", "[pieces]") {
  Options options = with_deflate();
  options.deflate->context_takeover = false;
  Log log(options);
  log.feed(frame(Opcode::text, from_hex("f248cdc9c90700"), true, true));
  CHECK(log.text() == "text=Hello ");
  CHECK(log.reader().is_idle());
  log.feed(frame(Opcode::text, "a", false));
  CHECK_FALSE(log.reader().is_idle());
}

}  // namespace
}  // namespace squall::websocket::message_pieces_test
