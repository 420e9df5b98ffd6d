#pragma once

#include <string>
#include <string_view>

// The one spelling of a path in which paths and routes are compared (RFC 3986, 6.2.2).
namespace squall::web {

// Whether a path may have this character unescaped. True for the characters of RFC 3986 and for `[`, `]`, `^`
// and `|`, which the server takes too. False for `%`.
bool is_path_char(char c) noexcept;

// Whether a path has its escapes in the one spelling: upper-case digits, and no escape of a letter, a digit
// or one of `-._~`.
bool has_one_spelling(std::string_view path) noexcept;
// The path in that spelling: `/%7Ea%c3%2f` becomes `/~a%C3%2F`. Escapes of other characters are kept, `%2F`
// too, and so are dot segments. A path may become shorter.
std::string with_one_spelling(std::string_view path);

}  // namespace squall::web
