#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/web/handler/middleware.h>

#include <cstddef>
#include <vector>

namespace squall::web {

class RequestHandler;

// Settings of an Application.
struct Settings {
  // Called once for each request, in place of the access log's line (WEB-204). The number is the status of
  // the response, or 499 if the client closed the connection before it.
  VoidFunction<RequestHandler&, int> log_function{};
  // The most arguments that a query, or a form in a body, may have. With more, reading an argument throws
  // HTTPError 400.
  std::size_t max_arguments = 10'000;
  // Middleware around every route, and around the answers to requests without a route; the first is outermost.
  std::vector<Middleware> middleware{};
};

}  // namespace squall::web
