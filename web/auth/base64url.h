#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace squall::web::detail {

// Base64 of URLs, without padding (RFC 4648, 5; RFC 7515, 2).
std::string base64url_encode(std::string_view bytes);
// The reverse. nullopt for every other text, also with padding, or with bits behind the last byte that are
// not zero.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace squall::web::detail
