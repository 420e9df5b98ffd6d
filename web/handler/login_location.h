#pragma once

#include <squall/http/server/request.h>

#include <string>
#include <string_view>

namespace squall::web {

// The URL of the login page, which leads back to the request (WEB-122): with `?next=` and the URL of the
// request, absolute if `login_url` is. A `login_url` with a query is returned unchanged. The page must check
// `next` before it redirects to it: accept only a path that begins with one slash (SEC-53).
std::string login_location(std::string_view login_url, const http::ServerRequest& request);

}  // namespace squall::web
