#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

// The path beneath a root that the decoded path of a URL names (WEB-145). Looks at the text only.
//
// Empty components and `.` are removed, and each `..` removes the component before it. The result has no
// slash at its beginning. It is empty for the root itself, and ends with a slash if the URL names a folder:
// with a slash, `.` or `..` at its end.
//
// nullopt for a path that begins with a slash, that leaves the root, even to come back, or that contains a
// NUL (SEC-51).
std::optional<std::string> safe_path(std::string_view decoded);

// Whether a path that safe_path() returned names a folder.
inline bool names_folder(std::string_view path) noexcept { return path.empty() || path.back() == '/'; }

}  // namespace squall::web
