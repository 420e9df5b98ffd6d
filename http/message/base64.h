#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// Base64 with padding (RFC 4648, 4).
std::string base64_encode(std::string_view bytes);
// The reverse. nullopt for every other text: with other characters, without padding, or with bits behind the
// last byte that are not zero (RFC 4648, 3.5).
std::optional<std::string> base64_decode(std::string_view text);
// The value of an Authorization header: `Basic bWU6cHc=` (RFC 7617).
std::string basic_credentials(std::string_view username, std::string_view password);

}  // namespace squall::http
