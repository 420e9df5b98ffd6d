#pragma once

#include <squall/http/message/headers.h>

#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

// A whole response as a value: what a function given to serve() returns.
//
//     return http::Response("Hello\n", "text/plain");
//     return http::Response(404);
//     return http::Response::redirect("/login");
//
// Content-Length, Server and Date are added as it is sent.
struct Response {
  Response() = default;
  // Without a body.
  explicit Response(int status) : status(status) {}
  Response(std::string body, std::string_view content_type = "text/html; charset=UTF-8")
      : body(std::move(body)) {
    headers.set("Content-Type", content_type);
  }
  Response(const char* body, std::string_view content_type = "text/html; charset=UTF-8")
      : Response(std::string(body), content_type) {}
  Response(int status, std::string body, std::string_view content_type = "text/html; charset=UTF-8")
      : Response(std::move(body), content_type) {
    this->status = status;
  }

  // `location` as it is sent: a URL or a path. Throws std::invalid_argument for control characters in it.
  static Response redirect(std::string_view location, int status = 302) {
    Response response(status);
    response.headers.set("Location", location);
    return response;
  }

  int status = 200;
  std::string reason;  // empty for the status's own
  Headers headers;
  std::string body;
  Headers trailers;  // with any, the body goes out in chunks
};

}  // namespace squall::http
