#include <squall/http/server/serve.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::http::options_test {
namespace {

TEST_CASE("the options of HTTP servers are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<HTTPServerOptions>);
  CHECK(HTTPServerOptions{.max_header_count = std::nullopt, .max_connections = 3}.max_connections == 3);
  static_assert(std::is_aggregate_v<ServeOptions>);
  CHECK(ServeOptions{.server = {.keep_alive = false}, .listen = {.backlog = 3}}.listen.backlog == 3);
}

}  // namespace
}  // namespace squall::http::options_test
