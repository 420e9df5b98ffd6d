#pragma once

#include <string>
#include <string_view>

namespace squall::web::detail {

// The 32 bytes of the hash (FIPS 180-4). Throws std::runtime_error if OpenSSL lacks it.
std::string sha256(std::string_view text);

}  // namespace squall::web::detail
