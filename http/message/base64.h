#pragma once

#include <string>
#include <string_view>

namespace squall::http {

// Base64 with padding (RFC 4648, 4).
std::string base64_encode(std::string_view bytes);
// The value of an Authorization header: `Basic bWU6cHc=` (RFC 7617).
std::string basic_credentials(std::string_view username, std::string_view password);

}  // namespace squall::http
