#pragma once

#include <array>
#include <string_view>

namespace squall::web::detail {

// The bytes of the hash (FIPS 180-4). Throws std::runtime_error if OpenSSL lacks it.
std::array<char, 32> sha256(std::string_view text);

}  // namespace squall::web::detail
