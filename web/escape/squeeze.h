#pragma once

#include <string>
#include <string_view>

namespace squall::web {

// Replaces each run of control characters and spaces, the bytes 0x00 to 0x20, by one space, and removes it at
// both ends (ESC-07).
std::string squeeze(std::string_view text);

}  // namespace squall::web
