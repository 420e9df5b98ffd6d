#pragma once

#include <string_view>

namespace squall::web::detail {

// Written in place of a URL that would run a script.
inline constexpr std::string_view kUnsafeUrl = "about:invalid#unsafe";

// Whether a browser ignores the character before the scheme of a URL, or in it: control characters and
// spaces.
constexpr bool is_ignored_in_url(char c) noexcept { return static_cast<unsigned char>(c) <= 0x20; }

// Whether a URL of that scheme, in lower case, may run a script.
bool is_script_scheme(std::string_view scheme) noexcept;

// Whether the value may be the beginning of a URL in a page: it is relative, or has the scheme http, https,
// ftp, mailto, sms or tel.
bool is_safe_url(std::string_view url) noexcept;
// Whether the value has no colon that could end a scheme.
bool is_safe_url_rest(std::string_view rest) noexcept;

// Whether the value consists of words and numbers of a style: letters, digits, spaces and `#%+,-._`.
bool is_safe_css(std::string_view value) noexcept;

}  // namespace squall::web::detail
