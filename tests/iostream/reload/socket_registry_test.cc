#include <squall/iostream/reload/socket_registry.h>

#include <squall/ioloop/loop/ioloop.h>

#include "support/catch.h"

namespace squall::socket_registry_test {
namespace {

using detail::SocketRegistry;

TEST_CASE("the timer that closes unclaimed sockets is set once, and again if its loop has ended",
          "[socket_registry]") {
  SocketRegistry& registry = SocketRegistry::get();
  IOLoop::Options options;
  options.make_current = false;
  {
    IOLoop first(options);
    registry.close_unclaimed_later(first);
    CHECK(first.next_timeout());
    IOLoop second(options);
    registry.close_unclaimed_later(second);
    CHECK_FALSE(second.next_timeout());
  }
  IOLoop third(options);
  registry.close_unclaimed_later(third);
  CHECK(third.next_timeout());
}

}  // namespace
}  // namespace squall::socket_registry_test
