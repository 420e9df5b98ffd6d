#pragma once

#include <string_view>

namespace squall::web::detail {

// The name of a locale in its own language: `Deutsch` for `de`. `Unknown` for codes that the table does not
// have (LOC-07).
std::string_view locale_name(std::string_view code) noexcept;

// Whether the language of the code is written from right to left.
bool is_right_to_left(std::string_view code) noexcept;

}  // namespace squall::web::detail
