#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

// The random bytes that a page of the site knows and a page of another site does not: a cookie has them, and
// each form sends them back (cross-site request forgery). As text they have one of Tornado's formats, called
// versions:
//
//     2   2|<mask>|<bytes xor mask>|<time>     mask and bytes in hexadecimal, time in seconds (WEB-110)
//     1   <bytes>                              in hexadecimal; another text is itself the bytes (WEB-111)
//
// A mask makes each response different, so that compression does not reveal the token (BREACH, SEC-46).
//
// Thread:    any.
class XsrfToken {
 public:
  using Mask = std::array<char, 4>;

  // `bytes` must not be empty.
  XsrfToken(std::string bytes, std::chrono::system_clock::time_point issued);
  // 16 bytes of the system's generator. Throws std::system_error if the system has none.
  static XsrfToken random(std::chrono::system_clock::time_point now);
  // nullopt for malformed text and for other versions (WEB-112, SEC-47); never throws for them. A token of
  // version 1 has no time: `now` becomes its time.
  static std::optional<XsrfToken> decode(std::string_view text, std::chrono::system_clock::time_point now);

  // The text of version 2, with a random mask, or of version 1. Throws std::invalid_argument for another
  // version, and std::system_error as random() does.
  std::string encode(int version = 2) const;
  // The text of version 2 with this mask.
  std::string encode_masked(Mask mask) const;

  // Whether the bytes are equal. The time that it takes depends on their number only (WEB-104, SEC-43).
  bool matches(const XsrfToken& other) const noexcept;

  const std::string& bytes() const noexcept { return bytes_; }
  // In whole seconds.
  std::chrono::system_clock::time_point issued() const noexcept {
    return std::chrono::system_clock::time_point(issued_);
  }

 private:
  XsrfToken(std::string bytes, std::chrono::seconds issued) : bytes_(std::move(bytes)), issued_(issued) {}
  static std::optional<XsrfToken> decode_masked(std::string_view text);

  std::string bytes_;
  std::chrono::seconds issued_;  // since the epoch
};

}  // namespace squall::web
