#pragma once

#include <squall/ioloop/base/random_bytes.h>

#include <cstdint>
#include <cstring>

namespace squall::websocket {

// That no other process has. Throws std::system_error as random_bytes().
inline std::uint64_t random_number() {
  const auto bytes = squall::detail::random_bytes<8>();
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace squall::websocket
