#pragma once

#include <squall/web/handler/request_handler.h>
#include <squall/web/handler/settings.h>
#include <squall/web/handler/static_folder.h>

#include <string>
#include <string_view>

namespace squall::web {

// The URL of the file at `path` beneath Settings::static_path: `/static/app.js?v=e7c22b99...`. A file that
// cannot be read gets a line in the log, and a URL without `v` (WEB-140, WEB-141). The path is not escaped.
//
// A hash is kept until the file changes, so a call costs one system call. The first call for a file reads it,
// on this thread. Throws std::logic_error without Settings::static_path.
std::string static_url(const Settings& settings, std::string_view path, StaticUrl kind = StaticUrl::hashed);

// The same with protocol and host in front, from the request: `https://example.org/static/app.js?v=...`.
std::string static_url_with_host(const RequestHandler& handler, std::string_view path,
                                 StaticUrl kind = StaticUrl::hashed);

}  // namespace squall::web
