#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>

namespace squall::detail {

// Bytes that nobody can guess, from the system's generator: forked processes share no state (SEC-84). Throws
// std::system_error if the system has none.
template <std::size_t size>
std::array<char, size> random_bytes() {
  static_assert(size <= 256, "the most that getentropy() gives");
  std::array<char, size> bytes;
  if (::getentropy(bytes.data(), size) != 0)
    throw std::system_error(errno, std::generic_category(), "getentropy");
  return bytes;
}

}  // namespace squall::detail
