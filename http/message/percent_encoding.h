#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

// Percent-encoded text (RFC 3986, 2.1), and the form encoding of the URL standard.
namespace squall::http {

// The meaning of `+`: itself, as in a path, or a space, as in a query or a form.
enum class Plus { is_plus, is_space };

// Replaces each escape `%XX` by its byte. A malformed escape is not changed (HUT-55).
std::string percent_decode(std::string_view text, Plus plus = Plus::is_plus);

// Escapes all but letters, digits and `_.-~` (ESC-05): for one value of a query or a form, with spaces as
// `+`; for a path, with Plus::is_plus, spaces as `%20`, and slashes are not escaped.
std::string url_escape(std::string_view text, Plus plus = Plus::is_space);
// The reverse, to bytes (ESC-06): percent_decode() with the other default.
inline std::string url_unescape(std::string_view text, Plus plus = Plus::is_space) {
  return percent_decode(text, plus);
}

// Whether an escape, `%` and two hexadecimal digits, begins at `at`.
bool is_percent_escape(std::string_view text, std::size_t at) noexcept;

// Appends `byte` as an escape.
void append_percent_escape(std::string& to, unsigned char byte);
// Appends `text`, with the bytes that are not in `legal` as escapes.
void append_percent_encoded(std::string& to, std::string_view text, const std::array<bool, 256>& legal);

}  // namespace squall::http
