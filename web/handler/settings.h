#pragma once

#include <squall/ioloop/base/void_function.h>

#include <cstddef>
#include <string>

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
  // The folder whose files static_url() makes URLs for (WEB-220). Empty by default: static_url() throws.
  std::string static_path{};
  // The path of those URLs, up to the name of the file (WEB-221).
  std::string static_url_prefix = "/static/";
};

}  // namespace squall::web
