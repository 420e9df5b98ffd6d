#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/socket/connect_socket.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of sockets are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<ListenOptions>);
  CHECK(ListenOptions{.reuse_port = true}.reuse_port);
  static_assert(std::is_aggregate_v<UnixListenOptions>);
  CHECK(UnixListenOptions{.mode = 0660}.mode == 0660);
  static_assert(std::is_aggregate_v<LocalEnd>);
  CHECK(LocalEnd{.port = std::uint16_t(80)}.port == 80);
}

}  // namespace
}  // namespace squall::options_test
