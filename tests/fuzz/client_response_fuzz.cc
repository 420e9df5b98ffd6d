// The client's parser of a server's bytes. For any bytes in any pieces: the parser never hangs, the pieces
// give the same response as the whole, no byte behind the response is used, and the response does not depend
// on earlier ones.

#include <squall/http/codec/response_parser.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

using Result = ResponseParser::Result;

struct Outcome {
  bool failed = false;
  int informational = 0;
  int status = 0;
  bool keep_alive = false;
  std::string head;
  std::string fields;
  std::string body;
  std::string trailers;
  std::size_t used = 0;

  bool operator==(const Outcome&) const = default;
};

std::string text_of(const Headers& headers) {
  std::string text;
  for (const Headers::Field field : headers)
    text.append(field.name).append(1, '\0').append(field.value).append(1, '\0');
  return text;
}

Outcome read(ResponseParser& parser, std::string_view bytes, ResponseParser::Asked asked, std::size_t step) {
  Headers headers;
  ResponseParser::Limits limits;
  limits.max_header_size = 4096;
  parser.begin(headers, asked, limits);
  Outcome outcome;
  const std::size_t size = bytes.size();
  std::size_t begin = 0;
  for (;;) {
    const bool is_end = begin >= size;
    // A copy, so that AddressSanitizer finds a read beyond it.
    const std::string piece(bytes.substr(std::min(begin, size), step));
    std::string_view rest = piece;
    begin += piece.size();
    for (std::size_t calls = 0;; ++calls) {
      FUZZ_CHECK(calls <= piece.size() + 100);
      const Result result = is_end ? parser.finish() : parser.parse(rest);
      if (result == Result::more) {
        FUZZ_CHECK(rest.empty());
        break;
      }
      if (result == Result::informational) ++outcome.informational;
      if (result == Result::head) {
        outcome.status = parser.status();
        outcome.head = parser.status_line();
        outcome.fields = text_of(headers);
        FUZZ_CHECK(outcome.status >= 101 && outcome.status <= 999);
        FUZZ_CHECK(outcome.head.find_first_of("\r\n") == std::string::npos);
      }
      if (result == Result::body) {
        FUZZ_CHECK(!parser.piece().empty());
        FUZZ_CHECK(parser.piece().data() >= piece.data() &&
                   parser.piece().data() + parser.piece().size() <= piece.data() + piece.size());
        outcome.body += parser.piece();
      }
      if (result == Result::failed) {
        Outcome failed;
        failed.failed = true;
        return failed;
      }
      if (result == Result::complete) {
        outcome.keep_alive = parser.keep_alive();
        outcome.trailers = text_of(parser.trailers());
        outcome.used = begin - rest.size();
        // A failed parser stays failed.
        FUZZ_CHECK(parser.finish() == Result::complete);
        return outcome;
      }
    }
  }
}

Outcome read(std::string_view bytes, ResponseParser::Asked asked, std::size_t step) {
  ResponseParser parser;
  return read(parser, bytes, asked, step);
}

void check(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto asked = static_cast<ResponseParser::Asked>(static_cast<unsigned char>(bytes[0]) % 3);
  bytes.remove_prefix(1);
  const Outcome whole = read(bytes, asked, bytes.size() + 1);
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{64}}) {
    FUZZ_CHECK(read(bytes, asked, step) == whole);
  }
  if (whole.failed || whole.used == bytes.size()) return;
  // Bytes behind the response make no difference.
  const std::string_view first = bytes.substr(0, whole.used);
  FUZZ_CHECK(read(first, asked, first.size() + 1) == whole);
  // Nor do earlier responses on the connection, in particular an equal one.
  const std::string_view second = bytes.substr(whole.used);
  for (const std::size_t step : {bytes.size(), std::size_t{5}}) {
    ResponseParser parser;
    for (int i = 0; i < 2; ++i) FUZZ_CHECK(read(parser, first, asked, step) == whole);
    FUZZ_CHECK(read(parser, second, asked, step) == read(second, asked, step));
  }
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::http::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
