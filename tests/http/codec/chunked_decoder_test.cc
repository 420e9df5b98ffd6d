#include <squall/http/codec/chunked_decoder.h>

#include <fmt/format.h>

#include <string>

#include "support/catch.h"

namespace squall::http::chunked_decoder_test {
namespace {

using Result = ChunkedDecoder::Result;

// The content, the trailers and the bytes left; the status of the refusal if the body is malformed.
std::string verdict(std::string_view input, std::size_t step, std::uint64_t max_size = 1000,
                    std::size_t max_trailers = 100,
                    ChunkedDecoder::Rules rules = ChunkedDecoder::Rules::request) {
  ChunkedDecoder decoder;
  decoder.begin(max_trailers, rules);
  decoder.set_max_size(max_size);
  std::string content;
  while (!input.empty()) {
    std::string_view bytes = input.substr(0, step);
    input.remove_prefix(bytes.size());
    for (;;) {
      std::string_view piece;
      const Result result = decoder.decode(bytes, piece);
      if (result == Result::failed) return std::to_string(decoder.refusal().status);
      if (result == Result::more) break;
      content += piece;
      if (result == Result::piece) continue;
      Headers trailers;
      decoder.move_trailers_to(trailers);
      for (const auto [name, value] : trailers) content += fmt::format(" {}={}", name, value);
      return fmt::format("{}|{}{}", content, bytes, input);
    }
  }
  return "more";
}

std::string chunk(std::size_t size, std::string_view extension = "") {
  return fmt::format("{:x}{}\r\n{}\r\n", size, extension, std::string(size, 'x'));
}

TEST_CASE("a body in chunks is decoded, in any pieces (RFC 9112, 7.1)", "[chunked_decoder]") {
  for (std::size_t step = 1; step < 50; ++step) {
    CHECK(verdict("3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nrest", step) == "abc0123456789|rest");
    CHECK(verdict("3\r\nabc\r\n0;x\r\nA: b \r\nC:\t\r\n\r\nrest", step) == "abc A=b C=|rest");
    CHECK(verdict("3\r\nabc\r\n0\r\n", step) == "more");
    CHECK(verdict("3\r\nabcd", step) == "400");
    CHECK(verdict("0\r\nA: b\n\r\n", step) == "400");
  }
}

TEST_CASE("the sum of the chunks is bounded, and fails at the size line that exceeds it (H1C-36)",
          "[chunked_decoder]") {
  CHECK(verdict(chunk(600) + chunk(400) + "0\r\n\r\n", 7).ends_with("x|"));
  CHECK(verdict(chunk(600) + "191\r\n", 7) == "413");
  CHECK(verdict("ffffffffffffffff\r\n", 3) == "413");
  CHECK(verdict("1\r\na\r\nffffffffffffffff\r\n", 3) == "413");
  CHECK(verdict("10000000000000000\r\n", 3) == "400");
}

TEST_CASE("a size line may have kMaxLine bytes, and not one more", "[chunked_decoder]") {
  const auto line = [](std::size_t size) {
    return "3;" + std::string(size - 4, 'e') + "\r\nabc\r\n0\r\n\r\n";
  };
  for (const std::size_t step : {1, 5, 10000}) {
    CHECK(verdict(line(ChunkedDecoder::kMaxLine), step) == "abc|");
    CHECK(verdict(line(ChunkedDecoder::kMaxLine + 1), step) == "400");
    CHECK(verdict(std::string(ChunkedDecoder::kMaxLine - 2, '0') + "\r\n\r\n", step) == "|");
    CHECK(verdict(std::string(ChunkedDecoder::kMaxLine - 1, '0') + "\r\n\r\n", step) == "400");
  }
}

TEST_CASE("a body that is mostly extensions is refused, and a body of small chunks is not",
          "[chunked_decoder]") {
  std::string extensions;
  for (int i = 0; i < 100; ++i) extensions += chunk(1, ";" + std::string(500, 'e'));
  CHECK(verdict(extensions + "0\r\n\r\n", 100) == "400");
  std::string small;
  for (int i = 0; i < 1000; ++i) small += chunk(1);
  CHECK(verdict(small + "0\r\n\r\n", 100).ends_with("x|"));
}

TEST_CASE("trailers may have max_trailers bytes, and not one more", "[chunked_decoder]") {
  const auto trailers = [](std::size_t size) { return "0\r\nA:" + std::string(size - 6, 'x') + "\r\n\r\n"; };
  for (const std::size_t step : {1, 3, 10000}) {
    CHECK(verdict(trailers(100), step).ends_with("|"));
    CHECK(verdict(trailers(101), step) == "431");
    CHECK(verdict("0\r\n\r\n", step, 1000, 2) == "|");
    CHECK(verdict("0\r\n\r\n", step, 1000, 1) == "431");
  }
}

TEST_CASE("blanks behind a size are skipped in responses, and refused in requests (RFC 9110, 5.6.3)",
          "[chunked_decoder]") {
  const auto response = ChunkedDecoder::Rules::response;
  for (const std::size_t step : {1, 3, 10000}) {
    for (const std::string_view size : {"3 ", "3\t \t", "3  ;x", "3 ; a = b", "3; a"}) {
      const std::string body = fmt::format("{}\r\nabc\r\n0 \r\n\r\n", size);
      CHECK(verdict(body, step, 1000, 100, response) == "abc|");
      CHECK(verdict(body, step) == "400");
    }
    for (const std::string_view size : {" 3", "3 4", "3 x", "3 \n", " "})
      CHECK(verdict(fmt::format("{}\r\nabc\r\n0\r\n\r\n", size), step, 1000, 100, response) == "400");
    const std::string most(ChunkedDecoder::kMaxLine - 3, ' ');
    CHECK(verdict("3" + most + "\r\nabc\r\n0\r\n\r\n", step, 1000, 100, response) == "abc|");
    CHECK(verdict("3" + most + " \r\nabc\r\n0\r\n\r\n", step, 1000, 100, response) == "400");
  }
}

TEST_CASE("a folded trailer line is refused, or joined to the line before it (RFC 9112, 5.2)",
          "[chunked_decoder]") {
  for (const std::size_t step : {1, 3, 10000}) {
    CHECK(verdict("0\r\nA: b\r\n c\r\n\r\n", step) == "400");
    const auto joined = ChunkedDecoder::Rules::response;
    CHECK(verdict("0\r\nA: b\r\n\tc\r\nD: e\r\n\r\nrest", step, 1000, 100, joined) == " A=b  \tc D=e|rest");
    CHECK(verdict("0\r\n c\r\n\r\n", step, 1000, 100, joined) == "400");
    CHECK(verdict("0\r\nA: b\r\n c\x01\r\n\r\n", step, 1000, 100, joined) == "400");
  }
}

TEST_CASE("chunk extensions of a request are exactly those of RFC 9112, 7.1.1", "[chunked_decoder]") {
  const auto body = [](std::string_view extensions) {
    return fmt::format("3{}\r\nabc\r\n0\r\n\r\n", extensions);
  };
  for (const std::size_t step : {1, 2, 10000}) {
    for (const char* const good :
         {";a", ";a=b", ";a=\"b\"", " ;a", "\t;\ta", " ; a = b", "; a=\"b\" ;c\t=d ; e", ";a;b;c", ";a=\"\"",
          ";a=\"\\\"\\\\;=\\ \"", ";a=\" \t;,=\"", ";a=\"\xe9\""}) {
      CAPTURE(good);
      CHECK(verdict(body(good), step) == "abc|");
    }
    for (const char* const bad :
         {";",         "; ",   " ",      "\t",      ";a ",         ";a\t",         ";;a",       ";a;",
          ";=b",       ";a=",  ";a= ",   ";a==b",   ";a=b ",       ";a=b=c",       ";a b",      " a",
          "g",         "=b",   ";a=\"",  ";a=\"b",  ";a=\"b\\\"",  ";a=\"b\"c",    ";a=\"b\" ", ";\"a\"",
          ";a=b\"c\"", ";a,b", ";a\xe9", ";a=\xe9", ";a=\"\x01\"", ";a=\"\\\x01\""}) {
      CAPTURE(bad);
      CHECK(verdict(body(bad), step) == "400");
    }
  }
}

TEST_CASE("each byte of a size line is accepted or refused at each place", "[chunked_decoder]") {
  using namespace std::string_literals;
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const std::string token = letters + "!#$%&'*+-.^_`|~";
  const std::string blanks = " \t";
  const std::string hex = "0123456789abcdefABCDEF";
  std::string high;
  for (int c = 0x80; c < 0x100; ++c) high += static_cast<char>(c);
  // Without the quote and the backslash.
  const std::string text = token + blanks + high + "(),/:;<=>?@[]{}";
  struct Place {
    std::string before;
    std::string after;
    std::string legal;
    ChunkedDecoder::Rules rules = ChunkedDecoder::Rules::request;
  };
  const Place places[] = {
      {"", "\r\n", hex},
      {"3", "\r\n", hex},
      {"3", ";a\r\n", hex + blanks},
      {"3 ", ";a\r\n", blanks},
      {"3;", "\r\n", token},
      {"3;", "a\r\n", token + blanks},
      {"3; ", "a\r\n", token + blanks},
      {"3;a", "\r\n", token},
      {"3;a", "=b\r\n", token + blanks},
      {"3;a", ";b\r\n", token + blanks},
      {"3;a", "b\r\n", token + ";="},
      {"3;a ", "b\r\n", ";="},
      {"3;a=", "\r\n", token},
      {"3;a=", "b\r\n", token + blanks},
      {"3;a=b", "\r\n", token},
      {"3;a=b", ";c\r\n", token + blanks},
      {"3;a=b ", "c\r\n", ";"},
      {"3;a=\"", "\"\r\n", text},
      {"3;a=\"\\", "\"\r\n", text + "\"\\"},
      {"3;a=\"b\"", "\r\n", ""},
      {"3;a=\"b\"", ";c\r\n", blanks},
      // A client accepts any text.
      {"3", "\r\n", hex + blanks + ";", ChunkedDecoder::Rules::response},
      {"3 ", "\r\n", blanks + ";", ChunkedDecoder::Rules::response},
      {"3;", "\r\n", text + "\"\\", ChunkedDecoder::Rules::response},
      {"3;a=\"", "\r\n", text + "\"\\", ChunkedDecoder::Rules::response},
  };
  for (const Place& place : places) {
    for (int c = 0; c < 0x100; ++c) {
      const char byte = static_cast<char>(c);
      CAPTURE(place.before, place.after, c);
      const std::string line = place.before + byte + place.after;
      const bool is_legal = place.legal.find(byte) != std::string::npos;
      REQUIRE((verdict(line, 1, 1 << 20, 100, place.rules) != "400") == is_legal);
    }
  }
}

}  // namespace
}  // namespace squall::http::chunked_decoder_test
