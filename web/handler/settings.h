#pragma once

#include <squall/ioloop/base/void_function.h>

#include <cstddef>
#include <memory>
#include <string>

namespace squall::web {

class HandlerFactory;
class RequestHandler;

// Settings of an Application.
struct Settings {
  // Called once for each request, in place of the access log's line (WEB-204). The number is the status of
  // the response, or 499 if the client closed the connection before it.
  VoidFunction<RequestHandler&, int> log_function{};
  // The most arguments that a query, or a form in a body, may have. With more, reading an argument throws
  // HTTPError 400.
  std::size_t max_arguments = 10'000;
  // Answers the requests whose path has no route, as made by handler<H>(arguments...) (WEB-194). By default
  // an ErrorHandler with 404.
  std::shared_ptr<const HandlerFactory> default_handler{};
  // The host for which Application::add_handlers() also serves requests that name another host (WEB-193).
  // None by default. A web page of any site can then send requests to the application by DNS rebinding.
  std::string default_host{};
};

}  // namespace squall::web
