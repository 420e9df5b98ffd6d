#pragma once

#include <squall/http/server/request.h>

#include <string_view>

namespace squall::web {

// Checks the Content-Type of a QUERY request: without one it is a 400, and a type that is not in
// `accept_query`, the value of an Accept-Query header, is a 415 (RFC 10008, 2 and 3). An empty `accept_query`
// takes all types. Throws HTTPError.
void check_query_type(const http::ServerRequest& request, std::string_view accept_query);

}  // namespace squall::web
