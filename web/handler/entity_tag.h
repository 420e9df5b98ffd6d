#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

// The strong entity tag of a body, `"` SHA-1 in lower-case hexadecimal digits `"` (WEB-75). The same body has
// the same tag in every process. nullopt if OpenSSL provides no SHA-1.
std::optional<std::string> entity_tag(std::string_view body);

}  // namespace squall::web
