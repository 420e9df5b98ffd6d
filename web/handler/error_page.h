#pragma once

#include <squall/http/server/request.h>
#include <squall/web/handler/settings.h>

#include <string>
#include <string_view>

namespace squall::web {

// The page of an error: HTML (WEB-67), or the JSON of RFC 9457 for clients that prefer JSON.
struct ErrorPage {
  std::string_view content_type;
  std::string body;
};

// Whether the client prefers JSON to HTML, by Accept; false for a client that accepts both equally.
bool prefers_json(const http::ServerRequest& request);

ErrorPage make_error_page(const http::ServerRequest& request, ErrorFormat format, int status,
                          std::string_view reason);

}  // namespace squall::web
