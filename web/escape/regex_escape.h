#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

// A regular expression that matches exactly `text`, for patterns of routes: a backslash before spaces and
// each of `()[]{}?*+-|^$\.&~#`.
//
//     url<PageHandler>("/" + re_escape(name) + "/([0-9]+)")
std::string re_escape(std::string_view text);
// The text of which re_escape() makes `pattern`: each backslash is removed, and the character behind it is
// kept (UTL-03). nullopt if a letter or a digit follows a backslash, because `\d` is not a text, and for a
// backslash at the end.
std::optional<std::string> re_unescape(std::string_view pattern);

}  // namespace squall::web
