#pragma once

#include <optional>
#include <string>
#include <string_view>

// Text as bytes of UTF-8, as all functions of Squall have it, and as characters (ESC-08).
namespace squall::web {

// The characters of UTF-8; nullopt for bytes that are not UTF-8.
std::optional<std::u32string> to_unicode(std::string_view bytes);
// Characters as UTF-8; nullopt for surrogates and for numbers above U+10FFFF.
std::optional<std::string> utf8(std::u32string_view characters);

}  // namespace squall::web
