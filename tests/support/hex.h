#pragma once

#include <squall/ioloop/base/ascii.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::testing {

// The bytes of `81 05 48`: pairs of hexadecimal digits, with or without blanks between them.
inline std::string from_hex(std::string_view digits) {
  std::string bytes;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int value = hex_value(c);
    if (value < 0) throw std::invalid_argument("not a hexadecimal digit");
    if (high >= 0) bytes += static_cast<char>(high << 4 | value);
    high = high < 0 ? value : -1;
  }
  return bytes;
}

// The reverse, without blanks.
inline std::string to_hex(std::string_view bytes) {
  std::string digits;
  append_lower_hex(digits, bytes);
  return digits;
}

}  // namespace squall::testing
