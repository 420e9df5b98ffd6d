#pragma once

#include <string>

namespace squall::http {

// Appends the character of an ISO-8859-1 byte in UTF-8.
inline void append_latin1(std::string& to, unsigned char byte) {
  if (byte < 0x80) {
    to += static_cast<char>(byte);
  } else {
    to += static_cast<char>(0xC0 | (byte >> 6));
    to += static_cast<char>(0x80 | (byte & 0x3F));
  }
}

}  // namespace squall::http
