#include <squall/http/codec/chunk_encoder.h>

#include <squall/http/codec/chunked_decoder.h>

#include <array>
#include <limits>
#include <string>

#include "support/catch.h"

namespace squall::http::chunk_encoder_test {
namespace {

std::string size_line(std::uint64_t size) {
  std::array<char, kMaxChunkSizeLine> line;
  return std::string(line.data(), write_chunk_size_line(line.data(), size));
}

TEST_CASE("a size line is hexadecimal digits and CRLF (RFC 9112, 7.1)", "[chunk_encoder]") {
  CHECK(size_line(1) == "1\r\n");
  CHECK(size_line(0xabc) == "abc\r\n");
  CHECK(size_line(std::numeric_limits<std::uint64_t>::max()) == "ffffffffffffffff\r\n");
}

TEST_CASE("the decoder reads what the encoder writes", "[chunk_encoder]") {
  std::string body;
  std::string content;
  for (const std::size_t size : {1, 15, 16, 255, 70'000}) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    body.append(size_line(size)).append(piece).append(kChunkEnd);
    content += piece;
  }
  body += kLastChunk;
  ChunkedDecoder decoder;
  decoder.begin(100);
  decoder.set_max_size(std::nullopt);
  std::string_view rest = body;
  std::string decoded;
  std::string_view piece;
  ChunkedDecoder::Result result = decoder.decode(rest, piece);
  for (; result == ChunkedDecoder::Result::piece; result = decoder.decode(rest, piece)) decoded += piece;
  CHECK(result == ChunkedDecoder::Result::end);
  CHECK(rest.empty());
  CHECK(decoded == content);
}

}  // namespace
}  // namespace squall::http::chunk_encoder_test
