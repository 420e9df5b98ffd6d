#include <squall/testing/bind_unused_port.h>

#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/bind_sockets.h>

#include "support/catch.h"

namespace squall::bind_unused_port_test {
namespace {

using testing::bind_reusable_port;
using testing::bind_unused_port;

TEST_CASE("two unused ports are two, on the IPv4 loopback (TST-02)", "[bind_unused_port]") {
  const auto first = bind_unused_port();
  const auto second = bind_unused_port();
  CHECK(first.port != 0);
  CHECK(first.port != second.port);
  CHECK(Address::local_of(first.socket.get()).to_string() == "127.0.0.1:" + std::to_string(first.port));
}

TEST_CASE("a reusable port may be bound again, another not", "[bind_unused_port]") {
  const auto shared = bind_reusable_port();
  ListenOptions options;
  options.address = "127.0.0.1";
  options.reuse_port = true;
  CHECK_NOTHROW(bind_sockets(shared.port, options));
  const auto own = bind_unused_port();
  CHECK_THROWS(bind_sockets(own.port, options));
}

}  // namespace
}  // namespace squall::bind_unused_port_test
