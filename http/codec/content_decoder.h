#pragma once

#include <squall/http/codec/check_head.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace squall::http {

// Undoes a content coding (RFC 9110, 8.4.1), piece by piece. Pure: bytes in, bytes out.
//
// Thread:    one.
class ContentDecoder {
 public:
  enum class State : std::uint8_t {
    open,    // more may come
    end,     // all of it has come; more input may begin another part, where the coding allows that
    failed,  // the input is not of this coding
  };

  virtual ~ContentDecoder() = default;

  // Takes the bytes it uses off the front of `input`, and writes up to output.size() bytes, which is not 0.
  // Returns how many. Less than that, and it has used all its input, or state() is State::failed.
  virtual std::size_t decode(std::string_view& input, std::span<char> output) = 0;
  State state() const noexcept { return state_; }

 protected:
  State state_ = State::open;
};

// For `gzip`, `x-gzip` and `deflate`, and `br` and `zstd` where the library was built with them. Null for any
// other coding, a list of several among them. Throws std::bad_alloc.
std::unique_ptr<ContentDecoder> make_content_decoder(std::string_view coding);

// The codings make_content_decoder() knows, as an Accept-Encoding field says it: `gzip, deflate, br`.
std::string_view known_content_codings() noexcept;

// A decoder that keeps within bounds: what a few bytes expand to must not fill the memory (SEC-24).
class BoundedDecoder {
 public:
  struct Limits {
    std::uint64_t max_size = 0;   // of all output
    std::uint64_t max_ratio = 0;  // of output to input, once there is more than kFreeOutput of it; 0: any
  };
  // So much is decoded whatever the ratio: small bodies of one repeated byte are no attack.
  static constexpr std::uint64_t kFreeOutput = 1024 * 1024;

  BoundedDecoder(std::unique_ptr<ContentDecoder> decoder, Limits limits) noexcept
      : decoder_(std::move(decoder)), limits_(limits) {}

  // May change on the way.
  void set_max_size(std::uint64_t size) noexcept { limits_.max_size = size; }
  // As ContentDecoder::decode(). 0 and a refusal() if the input is not of this coding, or too much.
  std::size_t decode(std::string_view& input, std::span<char> output);
  // There is no more input. False and a refusal() if it ends too early.
  bool finish() noexcept;
  // 400, or 413.
  const Refusal& refusal() const noexcept { return refusal_; }

 private:
  std::unique_ptr<ContentDecoder> decoder_;
  Limits limits_;
  std::uint64_t input_ = 0;   // bytes used so far
  std::uint64_t output_ = 0;  // bytes made so far
  Refusal refusal_;
};

}  // namespace squall::http
