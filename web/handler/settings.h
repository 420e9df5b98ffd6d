#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/web/handler/compression_options.h>
#include <squall/web/handler/middleware.h>

#include <cstddef>
#include <optional>
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
  // Compresses responses (WEB-180); off by default. See Compression.
  std::optional<CompressionOptions> compress_response{};
  // Middleware around every route, and around the answers to requests without a route; the first is
  // outermost.
  std::vector<Middleware> middleware{};
};

}  // namespace squall::web
