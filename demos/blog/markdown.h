#pragma once

#include <string>

namespace blog {

// The HTML of a text in CommonMark, by cmark. HTML in the text is shown as text, and links with schemes such
// as `javascript:` lose their address. Linear time.
//
// Thread:    any.
std::string html_of(const std::string& markdown);

}  // namespace blog
