#include <squall/http/message/multipart.h>

#include <squall/http/message/form.h>

#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/byte_by_byte.h"
#include "support/catch.h"
#include "support/growth.h"

namespace squall::http::multipart_test {
namespace {

// Records the events of a parser, with the pieces of data joined.
class Recorder : public MultipartDelegate {
 public:
  void part_begin(const MultipartPart& part) override {
    told += "[" + part.name;
    if (part.is_file()) told += "|" + part.filename + "|" + part.content_type;
    told += ":";
  }
  void part_data(std::string_view data) override {
    CHECK_FALSE(data.empty());
    told += data;
  }
  void part_end() override { told += "]"; }
  void finish() override { told += "."; }

  std::string told;
};

struct Outcome {
  std::string told;
  MultipartFault fault = MultipartFault::none;

  bool operator==(const Outcome&) const = default;
};

// The body in pieces that end at `cuts`.
Outcome parse(std::string_view body, const std::vector<std::size_t>& cuts = {},
              const MultipartLimits& limits = {}, std::string_view boundary = "1234") {
  MultipartParser parser(boundary, limits);
  Recorder recorder;
  std::size_t at = 0;
  bool good = true;
  for (std::size_t i = 0; good && i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : body.size();
    // A copy, so that AddressSanitizer finds a read beyond the piece.
    const std::string piece(body.substr(at, end - at));
    good = parser.feed(piece, recorder);
    at = end;
  }
  if (good) good = parser.end();
  CHECK(good == (parser.fault() == MultipartFault::none));
  return {recorder.told, parser.fault()};
}

std::string part(const std::string& headers, const std::string& data, const std::string& boundary = "1234") {
  return "--" + boundary + "\r\n" + headers + "\r\n\r\n" + data + "\r\n";
}
std::string field(const std::string& name, const std::string& data) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", data);
}
const std::string kEnd = "--1234--\r\n";
const std::string kFile = "Content-Disposition: form-data; name=\"files\"; filename=\"ab.txt\"";

TEST_CASE("parts are reported in order, with their names and data (HUT-65, HUT-66, HUT-80)", "[multipart]") {
  CHECK(parse(part(kFile, "Foo") + "--1234--") == Outcome{"[files|ab.txt|application/unknown:Foo]."});
  CHECK(parse(part(kFile, "Foo") + kEnd) == Outcome{"[files|ab.txt|application/unknown:Foo]."});
  CHECK(parse(field("a", "1") + part(kFile + "\r\nContent-Type: text/plain", "x\r\ny") + field("b", "") +
              kEnd) == Outcome{"[a:1][files|ab.txt|text/plain:x\r\ny][b:]."});
  // The CRLF of the empty line may belong to the boundary.
  CHECK(parse("--1234\r\n" + kFile + "\r\n\r\n--1234--") == Outcome{"[files|ab.txt|application/unknown:]."});
  CHECK(parse(part("content-disposition: FORM-DATA; name=a", "1") + kEnd) == Outcome{"[a:1]."});
}

TEST_CASE("forms without parts, and empty pieces, have no events (HUT-63, HUT-81)", "[multipart]") {
  CHECK(parse("--1234--") == Outcome{"."});
  CHECK(parse("--1234--\r\n") == Outcome{"."});
  CHECK(parse("\r\n--1234--") == Outcome{"."});
  CHECK(parse("--1234\r\n--1234--") == Outcome{"."});
  CHECK(parse("--1234\r\n--1234\r\n" + field("a", "1") + kEnd) == Outcome{"[a:1]."});
}

TEST_CASE("bytes behind the final boundary are ignored (RFC 2046, 5.1.1)", "[multipart]") {
  CHECK(parse(field("a", "1") + "--1234--\r\n" + field("b", "2") + kEnd) == Outcome{"[a:1]."});
  CHECK(parse(field("a", "1") + "--1234-- epilogue") == Outcome{"[a:1]."});
}

TEST_CASE("boundary lines may have blanks behind them, and boundaries begin lines", "[multipart]") {
  CHECK(
      parse("--1234 \t \r\n" + kFile + "\r\n\r\nx\r\n--1234\t\r\n" + kFile + "\r\n\r\ny\r\n--1234--  \r\n") ==
      Outcome{"[files|ab.txt|application/unknown:x][files|ab.txt|application/unknown:y]."});
  const std::string close =
      "x--1234--\r\n--123\r\n\r\n-\r\n--\r\n--12345"
      "\n--1234\r--1234--\r\r\r\n\r\n\r\n--123";
  CHECK(parse(field("a", "x--1234--\r\n--123") + kEnd) == Outcome{"[a:x--1234--\r\n--123]."});
  CHECK(parse(field("a", "\r\n--123\r\n\r\n--1\n--1234\r--1234\r\r\n") + kEnd) ==
        Outcome{"[a:\r\n--123\r\n\r\n--1\n--1234\r--1234\r\r\n]."});
  CHECK(parse(field("a", "-") + field("b", "--123") + field("c", "--12\r\n--") + kEnd) ==
        Outcome{"[a:-][b:--123][c:--12\r\n--]."});
  // A longer boundary is another boundary, but ambiguous.
  CHECK(parse(field("a", close) + kEnd).fault == MultipartFault::malformed);
}

TEST_CASE("a malformed form is a fault with its reason (HUT-62 to HUT-65, HUT-82 to HUT-88)", "[multipart]") {
  struct Case {
    std::string body;
    MultipartFault fault;
  };
  using enum MultipartFault;
  using namespace std::string_literals;
  const std::string named = "Content-Disposition: form-data; name=a";
  const std::vector<Case> cases = {
      {"", no_final_boundary},
      {"--123", no_final_boundary},
      {part(kFile, "Foo"), no_final_boundary},
      {part(kFile, "Foo") + "--1234-", no_final_boundary},
      {part(kFile, "Foo") + "--1234", no_final_boundary},
      {part(kFile, "Foo") + "--1234\r\n" + named, no_final_boundary},
      {"--1234\r\n" + kFile + "\r\n\r\nFoo--1234--", no_final_boundary},  // HUT-83
      {"text\r\n" + part(kFile, "Foo") + kEnd, missing_headers},          // HUT-82
      {"text" + part(kFile, "Foo") + kEnd, missing_headers},
      {"\r\n\r\n" + part(kFile, "Foo") + kEnd, missing_headers},
      {"--1234\nH: 1\n\nFoo\n--1234--\n", missing_headers},  // HUT-84
      {"--1234\r\n\r\nFoo\r\n--1234--", missing_headers},
      {"--1234\r\n" + named + "\r\n--1234--", missing_headers},
      {"--1234\r\n" + named + "\r\nFoo\r\n--1234\r\n" + kFile + "\r\n\r\nFoo\r\n--1234--", missing_headers},
      {"--1234x\r\n", malformed},
      {"--1234-x", malformed},
      {"--1234\rx", malformed},
      {"--1234 x", malformed},
      {part("A: 1", "x") + kEnd, malformed},
      {part("Content-Disposition: attachment; name=a", "x") + kEnd, malformed},
      {part(named + "\r\n" + named, "x") + kEnd, malformed},
      {part("Content-Disposition: form-data", "x") + kEnd, missing_name},
      {part("Content-Disposition: form-data; name=\"\"", "x") + kEnd, missing_name},
      {part("Content-Disposition: form-data; filename=a", "x") + kEnd, missing_name},
      {part(named + "; name=b", "x") + kEnd, repeated_parameter},
      {part(named + "; filename=b; filename=c", "x") + kEnd, repeated_parameter},
      {part(named + "\r\nA: x\ry", "x") + kEnd, invalid_header},  // HUT-86, SEC-23
      {part("Content-Disposition: form-data; name=\"a\rb\"", "x") + kEnd, invalid_header},
      {part(named + "\r\nA: \0"s, "x") + kEnd, invalid_header},
      {part(named + "\r\nA: \x7f", "x") + kEnd, invalid_header},
      {part(named + "\r\nA B: 1", "x") + kEnd, invalid_header},
      {part(named + "\r\nno colon", "x") + kEnd, invalid_header},
      {part(" folded: 1\r\n" + named, "x") + kEnd, invalid_header},
      {part(named + "\r\nA: \xff", "x") + kEnd, invalid_utf8},  // HUT-88
      {part("Content-Disposition: form-data; name=\"\xe9\"", "x") + kEnd, invalid_utf8},
  };
  for (const Case& it : cases) {
    INFO(it.body);
    CHECK(parse(it.body).fault == it.fault);
    CHECK_FALSE(describe(it.fault).empty());
  }
}

TEST_CASE("names are UTF-8, and an empty file name makes a field (HUT-85, HUT-87, SEC-23)", "[multipart]") {
  const std::string named = "Content-Disposition: form-data; name=\"files\"; filename=";
  CHECK(parse(part(named + "\"\"", "x") + kEnd) == Outcome{"[files:x]."});
  CHECK(parse(part(named + "\"\xE6\xB5\x8B.txt\"", "x") + kEnd) ==
        Outcome{"[files|\xE6\xB5\x8B.txt|application/unknown:x]."});
  CHECK(parse(part(named + "old; filename*=UTF-8''%e2%82%ac.txt", "x") + kEnd) ==
        Outcome{"[files|\xE2\x82\xAC.txt|application/unknown:x]."});
  CHECK(parse(part("Content-Disposition: form-data;\r\n name=\"a%22b\"", "x") + kEnd) ==
        Outcome{"[a%22b:x]."});
}

TEST_CASE("a parser stays failed after a fault, and ignores bytes behind the form", "[multipart]") {
  MultipartParser failed("1234");
  Recorder recorder;
  CHECK_FALSE(failed.feed("text\r\n--1234x", recorder));
  CHECK_FALSE(failed.feed(field("a", "1") + kEnd, recorder));
  CHECK_FALSE(failed.end());
  CHECK(failed.fault() == MultipartFault::missing_headers);
  CHECK(recorder.told.empty());

  MultipartParser done("1234");
  CHECK(done.feed(kEnd, recorder));
  CHECK(done.feed(field("a", "1") + kEnd, recorder));
  CHECK(done.end());
  CHECK(recorder.told == ".");
}

TEST_CASE("99 parts pass and 100 fail; the limit can be set (HUT-64, SEC-22)", "[multipart]") {
  std::string body;
  for (int i = 0; i < 99; ++i) body += field("a", "1");
  CHECK(parse(body + kEnd).fault == MultipartFault::none);
  CHECK(parse(body + field("a", "1") + kEnd).fault == MultipartFault::too_many_parts);
  MultipartLimits limits;
  limits.max_parts = 3;
  CHECK(parse(field("a", "1") + field("b", "2") + kEnd, {}, limits).fault == MultipartFault::none);
  CHECK(parse(field("a", "1") + "--1234\r\n" + field("b", "2") + kEnd, {}, limits).fault ==
        MultipartFault::too_many_parts);
}

TEST_CASE("part headers of 10240 bytes pass, and 10241 fail (HUT-64, SEC-22)", "[multipart]") {
  const std::string named = "Content-Disposition: form-data; name=a\r\nA: ";
  const std::string longest = named + std::string(10240 - named.size(), 'x');
  CHECK(parse(part(longest, "1") + kEnd).fault == MultipartFault::none);
  CHECK(parse(part(longest + "x", "1") + kEnd).fault == MultipartFault::header_too_large);
  CHECK(parse("--1234\r\n" + longest + "xxxx").fault == MultipartFault::header_too_large);
  MultipartLimits limits;
  limits.max_part_header_size = 40;
  CHECK(parse(field("a", std::string(1000, 'x')) + kEnd, {}, limits).fault == MultipartFault::none);
  CHECK(parse(field("abc", "1") + kEnd, {}, limits).fault == MultipartFault::header_too_large);
  limits.max_part_header_size = std::numeric_limits<std::size_t>::max();
  CHECK(parse(field("abc", "1") + kEnd, {}, limits) == Outcome{"[abc:1]."});
}

TEST_CASE("the body, and text before the first boundary, have limits too; parsing can be disabled (SEC-22)",
          "[multipart]") {
  const std::string body = field("a", "12345") + "--1234--";
  MultipartLimits limits;
  limits.max_size = body.size();
  CHECK(parse(body, {10, 20}, limits).fault == MultipartFault::none);
  limits.max_size = body.size() - 1;
  CHECK(parse(body, {10, 20}, limits).fault == MultipartFault::too_large);
  limits = {};
  limits.max_preamble_size = 8;
  CHECK(parse("\r\npreamb\r\n" + body, {3, 9}, limits) == Outcome{"[a:12345]."});
  CHECK(parse("\r\n--123\n\r\n" + body, {3, 9}, limits).fault == MultipartFault::none);
  CHECK(parse("\r\npreambl\r\n" + body, {3, 9}, limits).fault == MultipartFault::missing_headers);
  limits.enabled = false;
  CHECK(parse(body, {}, limits).fault == MultipartFault::disabled);
}

TEST_CASE("boundaries are as in RFC 2046: up to 70 of its characters, quoted or not", "[multipart]") {
  CHECK(multipart_boundary("multipart/form-data; boundary=1234") == "1234");
  CHECK(multipart_boundary("multipart/form-data; charset=x; BOUNDARY=\"12 34\"; x=y") == "12 34");
  CHECK(multipart_boundary("multipart/form-data; boundary=\"'()+_,-./:=?\"") == "'()+_,-./:=?");
  const std::string longest(70, 'a');
  CHECK(multipart_boundary("a; boundary=" + longest) == longest);
  CHECK(parse(part("Content-Disposition: form-data; name=a", "1", longest) + "--" + longest + "--", {}, {},
              longest) == Outcome{"[a:1]."});
  for (const std::string& bad : {std::string("multipart/form-data"), std::string("a; boundary="),
                                 std::string("a; boundary=\"\""), "a; boundary=" + longest + "a",
                                 std::string("a; boundary=\"x \""), std::string("a; boundary=\"x\ty\""),
                                 std::string("a; boundary=x@y"), std::string("a; boundary=\xC3\xA9")}) {
    INFO(bad);
    CHECK_FALSE(multipart_boundary(bad));
  }
  MultipartParser parser("x\r\ny");
  std::string_view bytes = "x";
  CHECK(parser.next(bytes) == MultipartParser::Event::failed);
  CHECK(parser.fault() == MultipartFault::no_boundary);
}

TEST_CASE("a coroutine can take the events one by one, and await between them", "[multipart]") {
  MultipartParser parser("1234");
  const std::string text = field("a", "12") + kEnd;
  std::string_view bytes = text;
  using Event = MultipartParser::Event;
  CHECK(parser.next(bytes) == Event::part);
  CHECK(parser.part().name == "a");
  CHECK(parser.part().headers.size() == 1);
  CHECK(parser.next(bytes) == Event::data);
  CHECK(parser.data() == "12");
  CHECK(parser.next(bytes) == Event::part_end);
  CHECK(parser.next(bytes) == Event::finished);
  CHECK(parser.next(bytes) == Event::more);
  CHECK(bytes.empty());
  CHECK(parser.end());
}

TEST_CASE("a body has the same events for any cut into pieces", "[multipart]") {
  const std::vector<std::string> bodies = {
      field("a", "1") + part(kFile + "\r\nContent-Type: text/plain", "x\r\n--123\r\n\r\n-") + field("b", "") +
          kEnd,
      "\r\n--1234 \r\n--1234\r\n" + field("a", "\r\n--123\r\r\n--12\r\n") + "--1234--\r\n--1234",
      "--1234\r\n" + kFile + "\r\n\r\n--1234--",
      field("a", "--123") + field("b", "-") + field("c", "--12") + kEnd,
      field("a", "x\r\n--1234y") + kEnd,
      "text\r\n" + field("a", "1") + kEnd,
      field("a", "1") + "--1234\r\n\r\n",
      field("a", "1") + "--1234\r\nA: 1\r\n--1234--",
  };
  for (const std::string& body : bodies) {
    INFO(body);
    const Outcome whole = parse(body);
    for (std::size_t i = 0; i <= body.size(); ++i)
      for (std::size_t j = i; j <= body.size(); ++j) REQUIRE(parse(body, {i, j}) == whole);
    std::vector<std::size_t> every(body.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    CHECK(parse(body, every) == whole);
  }
}

TEST_CASE("random parts of boundary-like text are parsed unchanged, in random pieces", "[multipart]") {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"\r", "\n",  "\r\n",   "-", "--",    "1",
                                           "12", "123", "\r\n--", "x", "--1234"};
  for (int round = 0; round < 300; ++round) {
    std::string body;
    std::string expected;
    for (auto parts = random() % 5; parts > 0; --parts) {
      std::string data;
      for (auto i = random() % 12; i > 0; --i) data += pieces[random() % pieces.size()];
      // Except for lines that begin with the boundary.
      const std::string looked_at = "\r\n" + data;
      if (looked_at.find("\r\n--1234") != looked_at.npos) continue;
      body += field("n", data);
      expected += "[n:" + data + "]";
    }
    body += kEnd;
    std::vector<std::size_t> cuts;
    for (std::size_t at = random() % 9; at < body.size(); at += random() % 9) cuts.push_back(at);
    REQUIRE(parse(body, cuts) == Outcome{expected + "."});
  }
}

TEST_CASE("a body of many almost-boundaries takes linear time (HUT-67)", "[multipart]") {
  std::string data;
  while (data.size() < 8'000'000) data += "\r\n--123";
  CHECK(parse(field("a", data) + kEnd).told.size() == data.size() + 5);
  CHECK(parse(field("a", std::string(8'000'000, '\r')) + kEnd).fault == MultipartFault::none);
}

TEST_CASE("many parts in one piece take linear time, however long their headers may be", "[multipart]") {
  MultipartLimits limits;
  limits.max_part_header_size = 10'000'000;
  limits.max_parts = 1'000'000;
  for (const std::string& part : {field("a", "x"), std::string("--1234\r\n")}) {
    CAPTURE(part);
    const double growth = testing::growth(2500, [&](std::size_t n) {
      std::string body;
      for (std::size_t i = 0; i < n; ++i) body += part;
      Form form;
      body += kEnd;
      if (parse_multipart("multipart/form-data; boundary=1234", body, form, limits) != MultipartFault::none)
        throw std::runtime_error("refused");
    });
    CHECK(growth < testing::kMostLinearGrowth);
  }
}

TEST_CASE("a form that comes byte by byte takes linear time, whatever it is", "[multipart]") {
  constexpr std::size_t kSize = 1'000'000;
  MultipartLimits limits;
  limits.max_part_header_size = 2 * kSize;
  limits.max_preamble_size = 2 * kSize;
  limits.max_parts = kSize;
  struct Input {
    const char* what;
    std::string start;
    std::string repeated;
  };
  const std::string begun = "--1234\r\nContent-Disposition: form-data; name=\"a\"\r\n";
  const Input inputs[] = {
      {"text before the first boundary", "x", "\r\n--123"},
      {"a field name without an end", "--1234\r\n", "a"},
      {"many header fields", begun, "A: b\r\n"},
      {"a header of almost boundaries", begun, "A: \r\n--123"},
      {"a part", begun + "\r\n", "x"},
      {"a part of almost boundaries", begun + "\r\n", "\r\n--123"},
      {"a part of CRs", begun + "\r\n", "\r"},
      {"many parts", "", begun + "\r\nx\r\n"},
  };
  for (const Input& input : inputs) {
    CAPTURE(input.what);
    std::string bytes = input.start;
    while (bytes.size() < kSize) bytes += input.repeated;
    MultipartParser parser("1234", limits);
    auto event = MultipartParser::Event::more;
    testing::feed_byte_by_byte(bytes, [&](std::string_view byte) {
      do event = parser.next(byte);
      while (event != MultipartParser::Event::more && event != MultipartParser::Event::failed);
    });
    CHECK(event == MultipartParser::Event::more);
  }
}

}  // namespace
}  // namespace squall::http::multipart_test
