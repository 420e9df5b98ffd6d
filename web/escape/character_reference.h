#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace squall::web::detail {

// Appends the characters of the reference that `text` begins with, and returns the length of the reference;
// 0 if `text`, which begins with `&`, begins with no reference. As in the text of a page (HTML,
// 13.2.5.72 to 13.2.5.80), the longest name wins, older names need no semicolon, and a number that is no
// character becomes U+FFFD.
std::size_t append_reference(std::string& to, std::string_view text);

}  // namespace squall::web::detail
