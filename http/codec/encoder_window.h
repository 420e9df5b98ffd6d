#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

namespace squall::http {

// The binary logarithm of the window for an input of about `size` bytes, between `least` and `most`; `most`
// if the size is unknown. A window much larger than the input would only take memory.
constexpr int window_bits_for(std::optional<std::uint64_t> size, int least, int most) noexcept {
  if (!size) return most;
  return std::clamp(static_cast<int>(std::bit_width(*size)), least, most);
}

}  // namespace squall::http
