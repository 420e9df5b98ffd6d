#pragma once

#include <cstdint>
#include <optional>

namespace squall::websocket {

// The limits of a message that is read in pieces, which is never in memory as a whole. Beyond them the
// connection is closed with 1009.
struct PieceLimits {
  // Of the message as received, and as decompressed; std::nullopt: no limit.
  std::optional<std::uint64_t> max_size = std::uint64_t{1} << 30;
  // Of the decompressed bytes to the received ones, once there are more than kFreeOutput; std::nullopt: any.
  // 0: no more than kFreeOutput.
  std::optional<std::uint64_t> max_ratio = 200;

  // This much is decompressed at any ratio: a small message of one repeated byte is no attack.
  static constexpr std::uint64_t kFreeOutput = 1024 * 1024;

  bool operator==(const PieceLimits&) const = default;
};

}  // namespace squall::websocket
