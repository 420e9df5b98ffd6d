#include <squall/redis.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::redis::options_test {
namespace {

TEST_CASE("the options of the client for Redis are aggregates that take designated initialisers",
          "[options]") {
  static_assert(std::is_aggregate_v<ReplyLimits>);
  CHECK(ReplyLimits{.max_string = 3}.max_depth == 32);
  static_assert(std::is_aggregate_v<ClientOptions>);
  CHECK(ClientOptions{.answer_timeout = std::nullopt}.max_waiting == 1'000'000);
  static_assert(std::is_aggregate_v<Login>);
  CHECK(Login{.database = 3}.prefers_resp3);
  static_assert(std::is_aggregate_v<Endpoint>);
  CHECK(Endpoint{.port = 3}.host == "127.0.0.1");
  static_assert(std::is_aggregate_v<ConnectSettings>);
  CHECK(ConnectSettings{.client_name = "a"}.prefers_resp3);
}

}  // namespace
}  // namespace squall::redis::options_test
