#pragma once

#include <squall/ioloop/base/ascii.h>

#include <array>
#include <cstdint>
#include <string_view>

// The characters of a URL's parts (RFC 3986, appendix A).
namespace squall::http {

using URLChars = std::array<bool, 256>;

constexpr bool is_unreserved_or_delimiter(char c) noexcept {
  return is_alpha(c) || is_digit(c) || (c != '\0' && detail::is_one_of(c, "-._~!$&'()*+,;="));
}

// A host may not have escapes; the other parts may, so they have `%`.
inline constexpr URLChars kHostChars = detail::table(is_unreserved_or_delimiter);
inline constexpr URLChars kUserinfoChars =
    detail::table([](char c) { return is_unreserved_or_delimiter(c) || c == ':' || c == '%'; });
inline constexpr URLChars kPathChars = detail::table(
    [](char c) { return is_unreserved_or_delimiter(c) || c == ':' || c == '%' || c == '@' || c == '/'; });
// Of queries and fragments.
inline constexpr URLChars kQueryChars =
    detail::table([](char c) { return kPathChars[static_cast<unsigned char>(c)] || c == '?'; });
// The characters of a URI, in any part.
inline constexpr URLChars kURIChars = detail::table(
    [](char c) { return kQueryChars[static_cast<unsigned char>(c)] || c == '#' || c == '[' || c == ']'; });

}  // namespace squall::http
