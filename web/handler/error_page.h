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

inline constexpr std::string_view kHtmlType = "text/html; charset=UTF-8";

// The Content-Type of an error page for this request: kHtmlType, or a type of JSON.
std::string_view error_page_type(const http::ServerRequest& request, ErrorFormat format);
// Text for a JSON string, also in a page of HTML. Bytes that are not UTF-8 count as ISO-8859-1.
std::string escape_json(std::string_view text);

// Whether the client prefers JSON to HTML, by Accept; false for a client that accepts both equally.
bool prefers_json(const http::ServerRequest& request);

ErrorPage make_error_page(const http::ServerRequest& request, ErrorFormat format, int status,
                          std::string_view reason);

}  // namespace squall::web
