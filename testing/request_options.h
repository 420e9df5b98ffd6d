#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/http_request.h>
#include <squall/http/message/query.h>

#include <optional>
#include <string>
#include <string_view>

namespace squall::testing {

// The parts of a request that a test sends. An aggregate for designated initialisers:
//
//     client.post("/notes", {.headers = {{"Accept", "text/plain"}}, .form = {{"text", "Buy milk"}}});
//
// At most one of body, json and form has a value.
struct RequestOptions {
  std::string method = "GET";  // web::TestClient's functions set it by their names
  http::QueryArguments headers{};
  std::optional<std::string> body{};
  std::optional<std::string> json{};  // a body with the Content-Type application/json
  http::QueryArguments form{};        // a body with the Content-Type application/x-www-form-urlencoded
  bool follow_redirects = true;
  // As AsyncHTTPClient::fetch() has it.
  http::RaiseError raise_error = http::RaiseError::no;
};

// The request for a URL, or for the path of an origin such as `http://127.0.0.1:8888`. The path is sent as it
// is, with its dot segments. POST, PUT and PATCH without a body have an empty one; GET and HEAD must not have
// a body; other methods, also unknown ones, may have one.
//
// Errors:    std::invalid_argument for more than one body, a text that is neither a URL nor begins with a
//            slash, and a header that cannot be sent.
http::HTTPRequest make_request(std::string_view origin, std::string_view url_or_path,
                               const RequestOptions& options);

}  // namespace squall::testing
