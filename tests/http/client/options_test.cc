#include <squall/http/client/async_http_client.h>
#include <squall/http/client/dialer.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::http::options_test {
namespace {

TEST_CASE("the options of HTTP clients are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<AsyncHTTPClient::Options>);
  CHECK(AsyncHTTPClient::Options{.max_clients = 3, .defaults = {.follow_redirects = false}}.max_clients == 3);
  static_assert(std::is_aggregate_v<DialOptions>);
  CHECK(DialOptions{.allow_ipv6 = false, .timeout = std::nullopt}.timeout == std::nullopt);
  static_assert(std::is_aggregate_v<ProxyOptions>);
  CHECK(ProxyOptions{.host = "proxy.test", .port = 3128}.port == 3128);
  static_assert(std::is_aggregate_v<FetchOptions>);
  CHECK(FetchOptions{.connect_timeout = std::nullopt, .max_redirects = 3}.max_redirects == 3);
}

}  // namespace
}  // namespace squall::http::options_test
