#pragma once

#include <squall/web/handler/request_handler.h>

#include <string>
#include <string_view>

namespace squall::web {

// Whether a redirect to the text stays on the site: it begins with one slash, and has no character that a
// browser removes or takes for a slash. `//host`, `/\host` and a slash and a tab lead to another host
// (SEC-53).
bool is_local_path(std::string_view text) noexcept;

// The argument `next` of a login page, which RequestHandler::require_user() has sent (WEB-122); `otherwise`
// if it is missing, no local path, or longer than 1000 bytes.
std::string next_path(RequestHandler& handler, std::string_view otherwise = "/");

}  // namespace squall::web
