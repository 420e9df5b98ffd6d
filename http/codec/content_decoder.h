#pragma once

#include <squall/http/codec/check_head.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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
    open,    // the coded data is not at its end
    end,     // the coded data is complete; more input begins another part, if the coding allows that
    failed,  // the input is not of this coding
  };

  virtual ~ContentDecoder() = default;

  // Removes the bytes it uses from the front of `input`, and writes to `output`, which must not be empty.
  // Returns the number of bytes written. If that is less than output.size(), all input was used, or state()
  // is State::failed.
  virtual std::size_t decode(std::string_view& input, std::span<char> output) = 0;
  State state() const noexcept { return state_; }

 protected:
  State state_ = State::open;
};

// Whether zero bytes behind the coded data are a fault, or padding, which some servers add to a gzip body.
enum class TrailingZeros : std::uint8_t { refused, ignored };

// Makes a decoder for `gzip`, `x-gzip` and `deflate`, and for `br` and `zstd` if the library was built with
// them. Null for any other coding, and for a list of codings. TrailingZeros applies to gzip and deflate.
// Throws std::bad_alloc.
std::unique_ptr<ContentDecoder> make_content_decoder(std::string_view coding,
                                                     TrailingZeros zeros = TrailingZeros::refused);

// The codings of make_content_decoder(), as the value of an Accept-Encoding field: `gzip, deflate, br`.
std::string_view known_content_codings() noexcept;

// A decoder with limits: a few bytes must not expand until they fill the memory (SEC-24).
class BoundedDecoder {
 public:
  struct Limits {
    std::uint64_t max_size = 0;  // of all output
    // Of output to input, once there is more than kFreeOutput of it; std::nullopt: any.
    std::optional<std::uint64_t> max_ratio{};
  };
  // This much is decoded at any ratio: a small body of one repeated byte is no attack.
  static constexpr std::uint64_t kFreeOutput = 1024 * 1024;

  BoundedDecoder(std::unique_ptr<ContentDecoder> decoder, Limits limits) noexcept
      : decoder_(std::move(decoder)), limits_(limits) {}

  // May change while the body is decoded.
  void set_max_size(std::uint64_t size) noexcept { limits_.max_size = size; }
  // As ContentDecoder::decode(). Returns 0 and sets refusal() for malformed input, and beyond a limit.
  std::size_t decode(std::string_view& input, std::span<char> output);
  // Ends the input. Returns false and sets refusal() if the coded data is not complete.
  bool finish() noexcept;
  // With status 400 or 413.
  const Refusal& refusal() const noexcept { return refusal_; }

 private:
  std::unique_ptr<ContentDecoder> decoder_;
  Limits limits_;
  std::uint64_t input_ = 0;   // bytes used so far
  std::uint64_t output_ = 0;  // bytes made so far
  Refusal refusal_;
};

}  // namespace squall::http
