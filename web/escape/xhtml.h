#pragma once

#include <string>
#include <string_view>

namespace squall::web {

// Text for HTML: between tags, or in an attribute's value within quotes. Escapes `& < > " '` (ESC-01,
// SEC-35); other bytes are unchanged.
std::string xhtml_escape(std::string_view text);
void append_xhtml_escaped(std::string& to, std::string_view text);

// Replaces the character references of HTML, `&lt;`, `&#60;` and `&#x3c;`, by their characters in UTF-8: all
// names of the HTML standard, by its rules for text (ESC-02). An `&` without a reference is unchanged.
std::string xhtml_unescape(std::string_view text);

}  // namespace squall::web
