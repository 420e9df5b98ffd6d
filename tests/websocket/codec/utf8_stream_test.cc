#include <squall/websocket/codec/utf8_stream.h>

#include <squall/ioloop/base/utf8.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/byte_by_byte.h"
#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::utf8_stream_test {
namespace {

using testing::from_hex;

enum class Verdict { complete, cut, bad };

Verdict verdict(std::string_view first, std::string_view second = {}) {
  Utf8Stream stream;
  const bool fed = stream.feed(first) && stream.feed(second);
  if (!fed) {
    CHECK_FALSE(stream.is_complete());
    CHECK_FALSE(stream.feed("a"));
    CHECK_FALSE(stream.feed("\x80"));
    stream.reset();
    CHECK(stream.feed("a"));
    return Verdict::bad;
  }
  return stream.is_complete() ? Verdict::complete : Verdict::cut;
}

// Whether some bytes behind `text` make it UTF-8.
bool can_go_on(const std::string& text) {
  for (std::size_t more = 0; more < 4; ++more)
    for (const char* const lead : {"", "\x80", "\x90", "\xa0"}) {
      std::string longer = text + lead;
      longer.append(more, '\x80');
      if (is_utf8(longer)) return true;
    }
  return false;
}

TEST_CASE("every text of up to three bytes is judged as the whole-text check does, at every byte (RFC 3629)",
          "[utf8_stream]") {
  std::string text;
  const auto check = [&] {
    Utf8Stream stream;
    const bool is_alive = stream.feed(text);
    if (is_alive != can_go_on(text) || (is_alive && stream.is_complete()) != is_utf8(text))
      FAIL(testing::to_hex(text));
  };
  // The bytes at both sides of each bound.
  const std::string edges =
      from_hex("00 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff");
  for (const char a : edges)
    for (const char b : edges)
      for (const char c : edges)
        for (const std::size_t size : {1, 2, 3}) {
          text = std::string{a, b, c}.substr(0, size);
          check();
        }
}

TEST_CASE("a text is judged the same wherever it is cut, also beside long ASCII", "[utf8_stream]") {
  const std::string ascii(45, 'a');
  const struct {
    const char* hex;
    Verdict verdict;
  } cases[] = {
      {"ce ba e1 bd b9 cf 83 ce bc ce b5", Verdict::complete},  // Autobahn 6.2.1
      {"f0 90 8d 88 e2 82 ac c3 a9", Verdict::complete},
      {"f4 8f bf bf ef bf bf ee 80 80 ed 9f bf", Verdict::complete},
      {"ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64", Verdict::bad},  // Autobahn 6.3.1
      {"f4 90 80 80", Verdict::bad},
      {"f8 88 80 80 80", Verdict::bad},
      {"c0 af", Verdict::bad},
      {"e0 9f bf", Verdict::bad},
      {"f0 8f bf bf", Verdict::bad},
      {"80", Verdict::bad},
      {"c3 28", Verdict::bad},
  };
  for (const auto& [hex, expected] : cases) {
    CAPTURE(hex);
    const std::string text = ascii + from_hex(hex) + ascii;
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
      REQUIRE(verdict(std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)) == expected);
  }
  CHECK(verdict(ascii + "\xe2\x82") == Verdict::cut);
  CHECK(verdict(ascii + "\xf0\x90", "\x8d") == Verdict::cut);
  CHECK(verdict("") == Verdict::complete);
}

TEST_CASE("a byte that is no ASCII is found wherever it stands in ASCII", "[utf8_stream]") {
  const std::string ascii(700, 'a');
  CHECK(verdict(ascii) == Verdict::complete);
  for (std::size_t at = 0; at < ascii.size(); ++at) {
    std::string text = ascii;
    text[at] = '\xff';
    CAPTURE(at);
    REQUIRE(verdict(text) == Verdict::bad);
    text.replace(at, 1, "\xc3\xa9");
    REQUIRE(verdict(text) == Verdict::complete);
  }
}

TEST_CASE("the first byte that no UTF-8 text has is found when it arrives (RFC 6455, 8.1)", "[utf8_stream]") {
  const struct {
    const char* good;  // the text goes on
    const char* bad;   // the byte that cannot follow
  } cases[] = {{"ce ba", "ed a0"}, {"", "c0"},   {"f4", "90"}, {"ed", "a0"},
               {"e0", "9f"},       {"f0", "8f"}, {"", "f5"},   {"e2 82", "28"}};
  for (const auto& [good, bad] : cases) {
    CAPTURE(good, bad);
    Utf8Stream stream;
    CHECK(stream.feed(from_hex(good)));
    CHECK_FALSE(stream.feed(from_hex(bad)));
  }
}

TEST_CASE("checking takes linear time when fed byte by byte", "[utf8_stream]") {
  std::string text;
  while (text.size() < 1'000'000) text += "a\xc3\xa9\xe2\x82\xac\xf0\x90\x8d\x88";
  Utf8Stream stream;
  bool is_good = true;
  testing::feed_byte_by_byte(text, [&](std::string_view byte) { is_good = stream.feed(byte) && is_good; });
  CHECK(is_good);
  CHECK(stream.is_complete());
}

}  // namespace
}  // namespace squall::websocket::utf8_stream_test
