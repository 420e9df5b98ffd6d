#pragma once

#include <string>
#include <string_view>

namespace squall::http {

// Of RFC 4648, 4, with padding.
std::string base64_encode(std::string_view bytes);
// `Basic bWU6cHc=` (RFC 7617).
std::string basic_credentials(std::string_view username, std::string_view password);

}  // namespace squall::http
