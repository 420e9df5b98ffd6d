#include <squall/iostream/tcp/tcp_client.h>
#include <squall/iostream/tcp/tcp_server_options.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of TCP clients and servers are aggregates that take designated initialisers",
          "[options]") {
  static_assert(std::is_aggregate_v<ConnectOptions>);
  CHECK(ConnectOptions{.family = AF_INET, .timeout = std::nullopt}.timeout == std::nullopt);
  static_assert(std::is_aggregate_v<ProxyProtocolOptions>);
  CHECK(ProxyProtocolOptions{.trust_unix_peers = true}.trust_unix_peers);
  static_assert(std::is_aggregate_v<TCPServerOptions>);
  CHECK(TCPServerOptions{.stream = {.max_buffer_size = 3}, .max_connections = 3}.max_connections == 3);
}

}  // namespace
}  // namespace squall::options_test
