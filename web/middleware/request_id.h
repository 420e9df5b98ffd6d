#pragma once

#include <string>

namespace squall::web {

class RequestHandler;

// A middleware that gives every request an id, sends it as X-Request-Id, and so puts it into all log lines of
// the request: see http::ServerRequest::id().
//
// Security:  a client chooses its id only with http::HTTPServer::Options::trust_request_id, which is for
//            servers behind a proxy that sets the header. Ids are random, and are not secrets: they appear in
//            logs and responses.
class RequestID {
 public:
  // Throws std::invalid_argument if `header` is not a token.
  explicit RequestID(std::string header = "X-Request-Id");

  void before(RequestHandler& handler);
  void before_head(RequestHandler& handler);

 private:
  std::string header_;
};

}  // namespace squall::web
