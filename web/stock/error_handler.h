#pragma once

#include <squall/web/handler/http_error.h>
#include <squall/web/handler/request_handler.h>

namespace squall::web {

// Answers every method with the error page of one status (WEB-170).
//
//     url<ErrorHandler>("/secret/.*", 404)
class ErrorHandler : public RequestHandler {
 public:
  void initialize(int status) { status_ = status; }
  void prepare() { throw HTTPError(status_); }
  // A POST to an unknown path is a 404, with or without a token (WEB-107).
  void check_xsrf_cookie() override {}

 private:
  int status_ = 404;
};

}  // namespace squall::web
