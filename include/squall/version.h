#pragma once

#include <string_view>

namespace squall {

inline constexpr std::string_view kVersion = "0.1.0";
// The value of Server headers.
inline constexpr std::string_view kProduct = "Squall/0.1.0";

}  // namespace squall
