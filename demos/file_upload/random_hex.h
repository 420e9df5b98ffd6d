#pragma once

#include <fmt/format.h>

#include <random>
#include <string>

namespace squall::upload {

// 32 hexadecimal digits, different in each call.
inline std::string random_hex() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace squall::upload
