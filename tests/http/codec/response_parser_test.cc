#include <squall/http/codec/response_parser.h>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/byte_by_byte.h"
#include "support/catch.h"

namespace squall::http::response_parser_test {
namespace {

using Asked = ResponseParser::Asked;
using Result = ResponseParser::Result;

// The results of the parser for the bytes of a connection, as text.
std::string read(ResponseParser& parser, std::string_view bytes, std::size_t step,
                 Asked asked = Asked::content, std::size_t limit = 2048) {
  Headers headers;
  ResponseParser::Limits limits;
  limits.max_header_size = limit;
  parser.begin(headers, asked, limits);
  std::string said;
  std::string body;
  const std::string all(bytes);
  for (std::size_t at = 0;; at += step) {
    const bool is_end = at >= all.size();
    std::string_view rest = is_end ? std::string_view() : std::string_view(all).substr(at, step);
    for (;;) {
      const Result result = is_end ? parser.finish() : parser.parse(rest);
      if (result == Result::more) break;
      if (result == Result::informational) said += fmt::format("{} ", parser.status());
      if (result == Result::head) {
        said += fmt::format("{} '{}' 1.{}", parser.status(), parser.reason(), parser.minor_version());
        for (const Headers::Field field : headers) said += fmt::format(" {}={}", field.name, field.value);
      }
      if (result == Result::body) body += parser.piece();
      if (result == Result::failed) return "failed";
      if (result == Result::complete) {
        for (const Headers::Field field : parser.trailers())
          said += fmt::format(" +{}={}", field.name, field.value);
        const std::size_t left = rest.size() + (at + step < all.size() ? all.size() - at - step : 0);
        return fmt::format("{} [{}] {} {}", said, body, parser.keep_alive() ? "keep" : "close",
                           is_end ? 0 : left);
      }
    }
  }
}

std::string read(std::string_view bytes, std::size_t step, Asked asked = Asked::content,
                 std::size_t limit = 2048) {
  ResponseParser parser;
  return read(parser, bytes, step, asked, limit);
}

// As read(), and checks that pieces of any size give the same result.
std::string read_all_ways(std::string_view bytes, Asked asked = Asked::content) {
  const std::string whole = read(bytes, bytes.size() + 1, asked);
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const std::string pieces = read(bytes, step, asked);
    if (pieces != whole) return fmt::format("in pieces of {}: {}, and whole: {}", step, pieces, whole);
  }
  return whole;
}

struct Case {
  std::string bytes;
  std::string said;
};

TEST_CASE("a response is read by RFC 9112, 6.3, in any pieces", "[response_parser]") {
  const std::vector<Case> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 'OK' 1.1 Content-Length=5 [hello] keep 0"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1",
       "200 'OK' 1.1 Content-Length=5 [hello] keep 8"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' 1.1 Content-Length=0 [] keep 0"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
       "200 'OK' 1.1 Transfer-Encoding=chunked [abcdefg] keep 0"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nA: b \r\nC:d\r\n\r\nX",
       "200 'OK' 1.1 Transfer-Encoding=Chunked +A=b +C=d [] keep 1"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(1500, 'x') + "\r\n\r\n",
       "200 'OK' 1.1 Transfer-Encoding=chunked +A=" + std::string(1500, 'x') + " [] keep 0"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n",
       "200 'OK' 1.1 Transfer-Encoding=chunked +A=b   c [] keep 0"},
      // Framed by the end of the connection.
      {"HTTP/1.1 200 OK\r\n\r\nall of it", "200 'OK' 1.1 [all of it] close 0"},
      {"HTTP/1.0 200 OK\r\n\r\n", "200 'OK' 1.0 [] close 0"},
      // No body, with any headers.
      {"HTTP/1.1 204 No Content\r\n\r\nX", "204 'No Content' 1.1 [] keep 1"},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
       "304 'Not Modified' 1.1 Content-Length=5 [] keep 0"},
      {"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n",
       "204 'x' 1.1 Transfer-Encoding=chunked [] close 0"},
      {"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", "204 'x' 1.1 Content-Length=0 [] keep 0"},
      {"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", "204 'x' 1.1 Content-Length=5 [] close 0"},
      {"HTTP/1.1 304 x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
       "304 'x' 1.1 Content-Length=5 Content-Length=6 [] close 0"},
      // Persistence.
      {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
       "200 'OK' 1.1 Connection=close Content-Length=0 [] close 0"},
      {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
       "200 'OK' 1.1 Connection=x, Close Content-Length=0 [] close 0"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' 1.0 Content-Length=0 [] close 0"},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
       "200 'OK' 1.0 Connection=keep-alive Content-Length=0 [] keep 0"},
      // Informational responses come before the final response.
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "1\r\n\r\na",
       "100 103 200 'OK' 1.1 Content-Length=1 [a] keep 0"},
      {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nbytes", "101 'Switching' 1.1 Upgrade=x [] keep 5"},
      // Unusual, but allowed.
      {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 '' 1.1 Content-Length=0 [] keep 0"},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 '' 1.1 Content-Length=0 [] keep 0"},
      {"HTTP/1.1 299 a \x80 b\r\nX:\r\nY: \t v \t\r\nContent-Length: 0\r\n\r\n",
       "299 'a \x80 b' 1.1 X= Y=v Content-Length=0 [] keep 0"},
      {"HTTP/1.1 700 Whatever\r\nContent-Length: 0\r\n\r\n", "700 'Whatever' 1.1 Content-Length=0 [] keep 0"},
      // A server must refuse these in requests.
      {"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' 1.2 Content-Length=0 [] keep 0"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabcd",
       "200 'OK' 1.1 Content-Length=3 Content-Length=3 [abc] keep 1"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3, 03\r\n\r\nabc",
       "200 'OK' 1.1 Content-Length=3, 03 [abc] keep 0"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: ,chunked, \r\n\r\n3 ; a = b\r\nabc\r\n0  \r\n\r\n",
       "200 'OK' 1.1 Transfer-Encoding=,chunked, [abc] keep 0"},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "200 'OK' 1.0 Connection=keep-alive Transfer-Encoding=chunked [] close 0"},
      {"HTTP/1.1 204 x\r\nContent-Length: x\r\nTransfer-Encoding: y\r\n\r\n",
       "204 'x' 1.1 Content-Length=x Transfer-Encoding=y [] close 0"},
      {"HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n",
       "200 'OK' 1.1 Connection=keep-alive, close Content-Length=0 [] close 0"},
      // Folded lines (RFC 9112, 5.2).
      {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 0\r\n\r\n",
       "200 'OK' 1.1 X=a   b  \tc Content-Length=0 [] keep 0"},
      {"HTTP/1.1 200 OK\r\nX:\r\n b\r\nContent-Length: 0\r\n\r\n",
       "200 'OK' 1.1 X=b Content-Length=0 [] keep 0"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.bytes);
    CHECK(read_all_ways(c.bytes) == c.said);
  }
}

TEST_CASE("a response to HEAD and to CONNECT has no body", "[response_parser]") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  CHECK(read_all_ways(head, Asked::head) == "200 'OK' 1.1 Content-Length=5 [] keep 0");
  CHECK(read_all_ways("HTTP/1.1 200 OK\r\n\r\n", Asked::head) == "200 'OK' 1.1 [] keep 0");
  // A server that contradicts itself may send a body all the same.
  CHECK(read_all_ways("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Asked::head) ==
        "200 'OK' 1.1 Content-Length=x [] close 0");
  CHECK(read_all_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Asked::head) ==
        "200 'OK' 1.1 Transfer-Encoding=chunked [] keep 0");
  CHECK(read_all_ways(head + "bytes", Asked::tunnel) == "200 'OK' 1.1 Content-Length=5 [] keep 5");
  const std::string both = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(read_all_ways(both, Asked::head) ==
        "200 'OK' 1.1 Content-Length=5 Transfer-Encoding=chunked [] close 0");
  CHECK(read_all_ways(both, Asked::tunnel) ==
        "200 'OK' 1.1 Content-Length=5 Transfer-Encoding=chunked [] keep 0");
  CHECK(read_all_ways("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nab", Asked::tunnel) ==
        "407 'No' 1.1 Content-Length=2 [ab] keep 0");
}

TEST_CASE("anything that is not exactly a response fails, in any pieces (RFC 9112)", "[response_parser]") {
  using namespace std::string_literals;
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<std::string> cases = {
      "",
      "HTTP/1.1 200 OK",
      "SSH-2.0-OpenSSH\r\n",
      "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
      "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 020 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      "HTTP/1.1 200 OK\rContent-Length: 0\r\r",
      "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"s,
      ok + " X: folded\r\nContent-Length: 0\r\n\r\n",
      ok + "X : y\r\nContent-Length: 0\r\n\r\n",
      ok + "X\r\nContent-Length: 0\r\n\r\n",
      ok + ": y\r\nContent-Length: 0\r\n\r\n",
      ok + "X y: z\r\nContent-Length: 0\r\n\r\n",
      ok + "X: a\0b\r\nContent-Length: 0\r\n\r\n"s,
      ok + "X: a\x01\r\nContent-Length: 0\r\n\r\n",
      ok + "X: a\rb\r\nContent-Length: 0\r\n\r\n",
      ok + "X: a\nContent-Length: 0\r\n\r\n",
      ok + "X: a\r\n\nContent-Length: 0\r\n\r\n",
      ok + "Content-Length: 3\r\nContent-Length: 2\r\n\r\nabc",
      ok + "Content-Length: 3, 2\r\n\r\nabc",
      ok + "Content-Length: 3,\r\n\r\nabc",
      ok + "Content-Length: 3, 3\r\nContent-Length: 4\r\n\r\nabc",
      ok + "Content-Length: -1\r\n\r\n",
      ok + "Content-Length: +1\r\n\r\na",
      ok + "Content-Length: 0x1\r\n\r\na",
      ok + "Content-Length: 1 2\r\n\r\na",
      ok + "Content-Length: 1\r\n 2\r\n\r\naaaaaaaaaaaa",
      ok + "Content-Length:\r\n\r\n",
      ok + "Content-Length: 99999999999999999999\r\n\r\n",
      ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chun\r\n ked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: identity\r\n\r\nabc",
      ok + "Transfer-Encoding: \x0b" + "chunked\r\n\r\n0\r\n\r\n",
      ok + "Content-Length: 5\r\n\r\nabc",
      ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA b: c\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\0\r\n\r\n"s,
      ok + "Transfer-Encoding: chunked\r\n\r\n3;" + std::string(2000, 'x') + "\r\nabc\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n" + std::string(2000, '0') + "3\r\nabc\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(3000, 'x') + "\r\n\r\n",
      ok + "X: " + std::string(3000, 'x') + "\r\nContent-Length: 0\r\n\r\n",
  };
  for (const std::string& bytes : cases) {
    CAPTURE(bytes.substr(0, 200));
    CHECK(read_all_ways(bytes) == "failed");
  }
}

TEST_CASE("too many informational responses fail", "[response_parser]") {
  std::string bytes;
  for (int i = 0; i <= ResponseParser::kMaxInformational; ++i) bytes += "HTTP/1.1 102 Processing\r\n\r\n";
  CHECK(read(bytes + "HTTP/1.1 204 x\r\n\r\n", 7) == "failed");
}

TEST_CASE("a head of exactly the limit passes, and one byte more does not", "[response_parser]") {
  const std::string head = "HTTP/1.1 204 x\r\nX: " + std::string(100, 'x') + "\r\n\r\n";
  CHECK(read(head, 3, Asked::content, head.size()) != "failed");
  CHECK(read(head, 3, Asked::content, head.size() - 1) == "failed");
}

TEST_CASE("earlier responses on a connection do not change the next one", "[response_parser]") {
  struct Next {
    std::string bytes;
    Asked asked = Asked::content;
    std::size_t limit = 2048;
  };
  const std::string plain = "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\n";
  const std::string folded = "HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 5\r\n\r\n";
  const std::vector<Next> responses = {
      {plain + "hello"},
      {plain + "world"},
      {plain, Asked::head},
      {plain + "small", Asked::content, plain.size()},
      {"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\n\r\nfour"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
      {"HTTP/1.1 100 Continue\r\n\r\n" + plain + "after"},
      {"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nold 1"},
      {folded + "folds"},
      {"HTTP/1.1 200 OK\r\nLong: " + std::string(1900, 'x') + "\r\nContent-Length: 1\r\n\r\n1"},
  };
  for (const std::size_t step : {std::size_t{5000}, std::size_t{60}, std::size_t{1}}) {
    ResponseParser parser;
    for (const Next& first : responses) {
      for (const Next& second : responses) {
        for (const Next* next : {&first, &first, &second, &second}) {
          CAPTURE(step, next->bytes);
          CHECK(read(parser, next->bytes, step, next->asked, next->limit) ==
                read(next->bytes, step, next->asked, next->limit));
        }
      }
    }
  }
}

TEST_CASE("a parser reads one response after the other", "[response_parser]") {
  Headers headers;
  ResponseParser parser;
  for (const int length : {3, 0, 12345}) {
    const std::string all =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", length, std::string(length, 'b'));
    parser.begin(headers, Asked::content, {});
    std::string_view rest = all;
    std::size_t size = 0;
    for (Result result = parser.parse(rest); result != Result::complete; result = parser.parse(rest)) {
      REQUIRE(result != Result::failed);
      REQUIRE(result != Result::more);
      if (result == Result::body) size += parser.piece().size();
    }
    CHECK(size == static_cast<std::size_t>(length));
    CHECK(rest.empty());
  }
}

TEST_CASE("a response that comes byte by byte takes linear time, whatever it is", "[response_parser]") {
  constexpr std::size_t kSize = 1'000'000;
  ResponseParser::Limits limits;
  limits.max_header_size = 2 * kSize;
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  struct Input {
    const char* what;
    std::string start;
    std::string repeated;
  };
  const Input inputs[] = {
      {"a reason without an end", "HTTP/1.1 200 ", "a"},
      {"a field name without an end", "HTTP/1.1 200 OK\r\n", "a"},
      {"a field value without an end", "HTTP/1.1 200 OK\r\nA: ", "b"},
      {"a field value of folded lines", "HTTP/1.1 200 OK\r\nA: ", "b\r\n "},
      {"many fields", "HTTP/1.1 200 OK\r\n", "A: b\r\n"},
      {"small chunks", chunked, "1\r\nx\r\n"},
      {"a large chunk", chunked + "ffffff\r\n", "x"},
      {"many trailers", chunked + "0\r\n", "A: b\r\n"},
      {"a trailer of folded lines", chunked + "0\r\nA: b\r\n", " c\r\n"},
      {"a trailer without an end", chunked + "0\r\nA: ", "b"},
      {"a body that ends with the connection", "HTTP/1.1 200 OK\r\n\r\n", "x"},
  };
  for (const Input& input : inputs) {
    CAPTURE(input.what);
    std::string bytes = input.start;
    while (bytes.size() < kSize) bytes += input.repeated;
    Headers headers;
    ResponseParser parser;
    parser.begin(headers, Asked::content, limits);
    Result result = Result::more;
    testing::feed_byte_by_byte(bytes, [&](std::string_view byte) {
      do result = parser.parse(byte);
      while (result == Result::head || (result == Result::body && !byte.empty()));
    });
    CHECK(result != Result::failed);
  }
}

}  // namespace
}  // namespace squall::http::response_parser_test
