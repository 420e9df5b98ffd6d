#include <squall/http/codec/content_decoder.h>

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "support/gzip.h"
#include "support/http_fixture.h"

namespace squall::http::content_decoder_test {
namespace {

using testing::deflated;
using testing::gzipped;
using testing::HTTPFixture;
using testing::without_date;

std::string hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

struct Decoded {
  std::string text;
  ContentDecoder::State state;
};

// Decodes in pieces of `step` bytes, to at most `room` bytes at a time.
Decoded decode(std::string_view coding, std::string_view input, std::size_t step, std::size_t room,
               TrailingZeros zeros = TrailingZeros::refused) {
  const std::unique_ptr<ContentDecoder> decoder = make_content_decoder(coding, zeros);
  REQUIRE(decoder);
  Decoded decoded;
  std::vector<char> space(room);
  while (!input.empty()) {
    std::string_view piece = input.substr(0, step);
    input.remove_prefix(piece.size());
    for (;;) {
      const std::size_t made = decoder->decode(piece, space);
      decoded.text.append(space.data(), made);
      if (made < room) break;
    }
    if (decoder->state() == ContentDecoder::State::failed) break;
    CHECK(piece.empty());
  }
  decoded.state = decoder->state();
  return decoded;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += fmt::format("line {} of {}\n", i, i * i % 1001);
  return text;
}

TEST_CASE("gzip and deflate are decoded to the original text, in pieces of any size", "[content_decoder]") {
  const std::string text = sample();
  for (const auto& [coding, input] :
       {std::pair("gzip", gzipped(text)), std::pair("X-GZIP", gzipped(text)),
        std::pair("deflate", deflated(text, 15)), std::pair("deflate", deflated(text, -15))}) {
    for (const std::size_t step : {1, 7, 1000, 1000000}) {
      for (const std::size_t room : {1, 100, 65536}) {
        const Decoded decoded = decode(coding, input, step, room);
        CHECK(decoded.state == ContentDecoder::State::end);
        REQUIRE((decoded.text == text));
      }
    }
  }
  CHECK(decode("gzip", gzipped(""), 5, 10).state == ContentDecoder::State::end);
}

TEST_CASE("several members of gzip are one body (RFC 1952, 2.2)", "[content_decoder]") {
  const Decoded decoded = decode("gzip", gzipped("one ") + gzipped("two"), 3, 2);
  CHECK(decoded.text == "one two");
  CHECK(decoded.state == ContentDecoder::State::end);
}

TEST_CASE("truncated, changed and extended data is refused (H1C-43, H1C-44)", "[content_decoder]") {
  const std::string whole = gzipped(sample());
  CHECK(decode("gzip", std::string_view(whole).substr(0, whole.size() - 1), 100, 1000).state ==
        ContentDecoder::State::open);
  CHECK(decode("gzip", whole + "more", 100, 1000).state == ContentDecoder::State::failed);
  CHECK(decode("gzip", "no gzip at all", 100, 1000).state == ContentDecoder::State::failed);
  CHECK(decode("deflate", deflated("abc", 15) + "x", 100, 1000).state == ContentDecoder::State::failed);
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    std::string changed = whole;
    changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    const Decoded decoded = decode("gzip", changed, 1 + random() % 500, 1 + random() % 5000);
    // Some bits of the header have no effect.
    CHECK((decoded.state != ContentDecoder::State::end || decoded.text == sample()));
  }
}

TEST_CASE("zero bytes behind gzip and deflate are padding only where the caller ignores them",
          "[content_decoder]") {
  const std::string zeros(3, '\0');
  for (const auto& [coding, whole] :
       {std::pair("gzip", gzipped("text")), std::pair("deflate", deflated("text", 15))}) {
    for (const std::size_t step : {1, 2, 1000}) {
      CAPTURE(coding, step);
      const Decoded padded = decode(coding, whole + zeros, step, 3, TrailingZeros::ignored);
      CHECK(padded.text == "text");
      CHECK(padded.state == ContentDecoder::State::end);
      CHECK(decode(coding, whole + zeros, step, 3).state == ContentDecoder::State::failed);
      CHECK(decode(coding, whole + zeros + "x", step, 3, TrailingZeros::ignored).state !=
            ContentDecoder::State::end);
    }
  }
  CHECK(decode("gzip", gzipped("a") + zeros + gzipped("b"), 5, 9, TrailingZeros::ignored).text == "ab");
}

TEST_CASE("br and zstd are decoded if they are built in, and no other coding is", "[content_decoder]") {
  const std::string_view known = known_content_codings();
  CHECK(known.starts_with("gzip, deflate"));
  if (known.find("br") != known.npos) {
    const std::string input = hex("0b028068656c6c6f03");
    for (const std::size_t step : {1, 100}) {
      const Decoded decoded = decode("br", input, step, 3);
      CHECK(decoded.text == "hello");
      CHECK(decoded.state == ContentDecoder::State::end);
    }
    CHECK(decode("br", input + "x", 100, 100).state == ContentDecoder::State::failed);
    CHECK(decode("br", "\xff\xff\xff\xff", 100, 100).state == ContentDecoder::State::failed);
  }
  if (known.find("zstd") != known.npos) {
    const std::string input = hex("28b52ffd200529000068656c6c6f");
    for (const std::size_t step : {1, 100}) {
      const Decoded decoded = decode("zstd", input + input, step, 3);
      CHECK(decoded.text == "hellohello");
      CHECK(decoded.state == ContentDecoder::State::end);
    }
    CHECK(decode("zstd", input.substr(0, 9), 100, 100).state == ContentDecoder::State::open);
    CHECK(decode("zstd", "no zstd", 100, 100).state == ContentDecoder::State::failed);
  }
  for (const char* coding : {"identity", "gzip, br", "compress", "", "gzi"})
    CHECK(!make_content_decoder(coding));
}

// ---- In a server.

HTTPFixture::Options decompressing(std::size_t max_body_size) {
  HTTPFixture::Options options;
  options.decompress_request = true;
  options.max_body_size = max_body_size;
  return options;
}

void describe_body(Exchange& exchange, Task<>&) {
  const ServerRequest& request = exchange.request();
  exchange.finish(fmt::format("{} {} {}", request.body().size(), request.headers().get("Content-Encoding"),
                              request.headers().get("X-Consumed-Content-Encoding")));
}

Task<> describe_pieces(Exchange& exchange) {
  std::size_t size = 0;
  std::size_t longest = 0;
  for (;;) {
    const std::string_view piece = co_await exchange.read();
    if (piece.empty()) break;
    size += piece.size();
    longest = std::max(longest, piece.size());
  }
  exchange.finish(fmt::format("{} {}", size, longest));
}

class Streaming : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override { pending = describe_pieces(exchange); }
};

std::string post(std::string_view coding, std::string_view body) {
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: {}\r\nContent-Length: "
      "{}\r\n\r\n{}",
      coding, body.size(), body);
}

// The status of the answer, with a collected and with a streamed body; both if they differ.
std::string both(const HTTPFixture::Options& options, std::string_view request) {
  HTTPFixture collecting(describe_body, options);
  std::string answer = collecting.talk(request).substr(9, 3);
  Streaming delegate;
  HTTPServer streaming(delegate, options, collecting.loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  streaming.listen(0, listen);
  testing::RawPeer peer(streaming.port());
  peer.send(request);
  const std::string other = collecting.read_to_end(peer).substr(9, 3);
  return answer == other ? answer : answer + other;
}

TEST_CASE("a compressed body is decompressed with decompress_request (H1C-40)", "[content_decoder]") {
  const std::string text = sample();
  HTTPFixture fixture(describe_body, decompressing(1'000'000));
  CHECK(fixture.talk(post("gzip", gzipped(text))).ends_with(fmt::format("\r\n\r\n{}  gzip", text.size())));
  CHECK(fixture.talk(post("GZip", gzipped(text))).ends_with(fmt::format("\r\n\r\n{}  GZip", text.size())));
  CHECK(fixture.talk(post("unknown", "abc")).ends_with("\r\n\r\n3 unknown "));
  CHECK(fixture.talk(post("gzip, gzip", "abc")).ends_with("\r\n\r\n3 gzip, gzip "));
  CHECK(fixture.talk_slowly(post("gzip", gzipped("abc"))).ends_with("\r\n\r\n3  gzip"));
  HTTPFixture plain(describe_body);
  CHECK(plain.talk(post("gzip", "abc")).ends_with("\r\n\r\n3 gzip "));
}

TEST_CASE("a body in chunks of one byte does not take more memory than its bytes", "[content_decoder]") {
  // If each chunk enlarged the buffer by a whole piece, this would fill a terabyte.
  HTTPFixture::Options options = decompressing(1'000'000);
  options.chunk_size = 64 * 1024 * 1024;
  HTTPFixture fixture(describe_body, options);
  std::string text;
  for (unsigned i = 0; i < 20'000; ++i) text += static_cast<char>((i * 2654435761U) >> 24);
  std::string request =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: gzip\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  for (const char byte : gzipped(text)) request.append("1\r\n").append(1, byte).append("\r\n");
  CHECK(fixture.talk(request + "0\r\n\r\n").ends_with("\r\n\r\n20000  gzip"));
}

TEST_CASE("decompressed pieces are bounded (H1C-41, SEC-25)", "[content_decoder]") {
  HTTPFixture::Options options = decompressing(1'000'000);
  options.chunk_size = 1000;
  testing::TestLoop loop;
  Streaming delegate;
  HTTPServer server(delegate, options, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  testing::RawPeer peer(server.port());
  peer.send(post("gzip", gzipped(std::string(500'000, 'x'))));
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  CHECK(all.ends_with("\r\n\r\n500000 1000"));
}

TEST_CASE("the decompressed size is bounded: 413; a malformed body is 400 (H1C-42, H1C-44, SEC-24)",
          "[content_decoder]") {
  const std::string bomb = gzipped(std::string(1024 * 1024, '\0'));
  CHECK(both(decompressing(2'000), post("gzip", bomb)) == "413");
  CHECK(both(decompressing(1024 * 1024), post("gzip", bomb)) == "200");
  CHECK(both(decompressing(1024 * 1024 - 1), post("gzip", bomb)) == "413");
  const std::string larger = gzipped(std::string(4 * 1024 * 1024, '\0'));
  HTTPFixture::Options options = decompressing(100'000'000);
  CHECK(both(options, post("gzip", larger)) == "413");
  options.max_decompression_ratio = std::nullopt;
  CHECK(both(options, post("gzip", larger)) == "200");
  const std::string whole = gzipped(sample());
  CHECK(both(options, post("gzip", whole.substr(0, whole.size() - 3))) == "400");
  CHECK(both(options, post("gzip", "no gzip")) == "400");
  CHECK(both(options, post("gzip", whole + "more")) == "400");
}

}  // namespace
}  // namespace squall::http::content_decoder_test
