#include <squall/http/codec/content_encoder.h>

#include <squall/http/codec/content_decoder.h>

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::content_encoder_test {
namespace {

using Then = ContentEncoder::Then;

// Decodes `coded`, the beginning of coded data or all of it.
std::string decode(std::string_view coding, std::string_view coded, ContentDecoder::State expected) {
  const std::unique_ptr<ContentDecoder> decoder = make_content_decoder(coding);
  REQUIRE(decoder);
  std::string text;
  std::vector<char> space(4096);
  for (std::size_t made = space.size(); made == space.size();) {
    made = decoder->decode(coded, space);
    text.append(space.data(), made);
  }
  CHECK(decoder->state() == expected);
  return text;
}

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("line {} of {}\n", i, static_cast<long long>(i) * i % 1001);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp)
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST_CASE("each offered coding is undone by its decoder, whatever size the encoder was told",
          "[content_encoder]") {
  for (const std::string_view coding : offered_content_codings()) {
    for (const std::string& text :
         {std::string(), std::string("x"), lines(20), lines(50'000), noise(300'000)}) {
      const std::optional<std::uint64_t> size = GENERATE_COPY(
          as<std::optional<std::uint64_t>>(), std::nullopt, 0, 1, 1000, 1'000'000, std::uint64_t{1} << 40);
      CAPTURE(coding, text.size(), size.value_or(999));
      const auto encoder = make_content_encoder(coding, {}, size);
      std::string coded;
      encoder->encode(text, Then::end, coded);
      CHECK(decode(coding, coded, ContentDecoder::State::end) == text);
    }
  }
}

TEST_CASE("after a flush the decoder has all bytes so far, without it fewer bytes are sent (WEB-183)",
          "[content_encoder]") {
  for (const std::string_view coding : offered_content_codings()) {
    CAPTURE(coding);
    const auto encoder = make_content_encoder(coding);
    const auto unflushed = make_content_encoder(coding);
    std::string coded;
    std::string shorter;
    std::string text;
    for (int i = 0; i < 50; ++i) {
      const std::string piece = lines(i);
      text += piece;
      encoder->encode(piece, Then::flush, coded);
      unflushed->encode(piece, Then::more, shorter);
      CHECK(decode(coding, coded, ContentDecoder::State::open) == text);
    }
    encoder->encode({}, Then::end, coded);
    unflushed->encode({}, Then::end, shorter);
    CHECK(decode(coding, coded, ContentDecoder::State::end) == text);
    CHECK(decode(coding, shorter, ContentDecoder::State::end) == text);
    CHECK(shorter.size() < coded.size());
  }
}

TEST_CASE("the level changes the size, and a level out of range is the nearest one", "[content_encoder]") {
  const std::string text = lines(5'000);
  const auto size_at = [&text](std::string_view coding, int level) {
    std::string coded;
    make_content_encoder(coding, {level, level, level})->encode(text, Then::end, coded);
    return coded.size();
  };
  for (const std::string_view coding : offered_content_codings()) {
    CAPTURE(coding);
    const int least = coding == "br" ? 0 : 1;
    const int most = coding == "br" ? 11 : coding == "zstd" ? 19 : 9;
    CHECK(size_at(coding, most) < size_at(coding, least));
    CHECK(size_at(coding, -7) == size_at(coding, least));
    CHECK(size_at(coding, 1000) == size_at(coding, most));
  }
}

TEST_CASE("gzip is always offered, and other codings have no encoder", "[content_encoder]") {
  CHECK(offered_content_codings().back() == "gzip");
  for (const char* coding : {"", "identity", "deflate", "GZIP", "gzip, br"})
    CHECK(!make_content_encoder(coding));
}

}  // namespace
}  // namespace squall::http::content_encoder_test
