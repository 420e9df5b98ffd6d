#pragma once

#include <squall/http/message/headers.h>

#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

// A whole response as a value, for example the result of a function given to serve().
//
//     return http::ServerResponse("Hello\n", "text/plain");
//     return http::ServerResponse(404);
//     return http::ServerResponse::redirect("/login");
//
// Content-Length, Server and Date are added when the response is sent.
struct ServerResponse {
  ServerResponse() = default;
  // Without a body.
  explicit ServerResponse(int status) : status(status) {}
  ServerResponse(std::string body, std::string_view content_type = "text/html; charset=UTF-8")
      : body(std::move(body)) {
    headers.set("Content-Type", content_type);
  }
  ServerResponse(const char* body, std::string_view content_type = "text/html; charset=UTF-8")
      : ServerResponse(std::string(body), content_type) {}
  ServerResponse(int status, std::string body, std::string_view content_type = "text/html; charset=UTF-8")
      : ServerResponse(std::move(body), content_type) {
    this->status = status;
  }

  // `location` is a URL or a path, and is sent unchanged. Throws std::invalid_argument for control
  // characters in it.
  static ServerResponse redirect(std::string_view location, int status = 302) {
    ServerResponse response(status);
    response.headers.set("Location", location);
    return response;
  }

  int status = 200;
  std::string reason;  // empty for the standard reason of the status
  Headers headers;
  std::string body;
  Headers trailers;  // if not empty, the body is sent in chunks
};

}  // namespace squall::http
