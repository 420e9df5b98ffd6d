#pragma once

#include <array>
#include <cstddef>

namespace squall::detail {

// Fills the space, of at most 256 bytes. Throws std::system_error.
void fill_randomly(char* space, std::size_t size);

// Bytes that nobody can guess, from the system's generator: forked processes share no state (SEC-84). Throws
// std::system_error if the system has none.
template <std::size_t size>
std::array<char, size> random_bytes() {
  static_assert(size <= 256, "the most that getentropy() gives");
  std::array<char, size> bytes;
  fill_randomly(bytes.data(), size);
  return bytes;
}

}  // namespace squall::detail
