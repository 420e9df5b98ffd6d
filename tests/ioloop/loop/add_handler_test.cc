#include <squall/ioloop/loop/ioloop.h>

#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::add_handler_test {
namespace {

using testing::Live;
using testing::SocketPair;
using testing::TestLoop;

TEST_CASE("a function object is called with its descriptor and the events (IOL-31)", "[add_handler]") {
  TestLoop loop;
  SocketPair pair;
  int seen_fd = -1;
  Events seen = Events::none;
  loop.add_handler(pair.near.get(), Events::read | Events::write, [&](int fd, Events events) {
    seen_fd = fd;
    seen = seen | events;  // in one call, or in one for each (IOL-35)
  });
  loop.run_turn();
  CHECK(seen_fd == pair.near.get());
  CHECK(seen == Events::write);
  pair.put();
  loop.run_turn();
  CHECK(seen == (Events::read | Events::write));
  seen = Events::none;
  loop.update_handler(pair.near.get(), Events::read);
  loop.run_turn();
  CHECK(seen == Events::read);
  loop.remove_handler(pair.near.get());
}

TEST_CASE("the captures of a function object are destroyed when it is removed, and with the loop",
          "[add_handler]") {
  SocketPair first;
  SocketPair second;
  {
    TestLoop loop;
    loop.add_handler(first.near.get(), Events::read, [live = Live()](int, Events) {});
    loop.add_handler(second.near.get(), Events::read, [live = Live()](int, Events) {});
    CHECK(Live::count == 2);
    loop.remove_handler(first.near.get());
    CHECK(Live::count == 1);
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

TEST_CASE(
    "a function object may remove itself while it runs, close the descriptor, and still use its captures",
    "[add_handler]") {
  TestLoop loop;
  SocketPair pair;
  int calls = 0;
  loop.add_handler(pair.near.get(), Events::read, [&, text = std::string(100, 'x')](int fd, Events) {
    loop.remove_handler(fd);
    pair.near.reset();
    calls += text == std::string(100, 'x') ? 1 : 100;
  });
  pair.put();
  loop.run_turn();
  loop.run_turn();
  CHECK(calls == 1);
}

TEST_CASE("a handler that replaces itself gets the next event in the new handler", "[add_handler]") {
  TestLoop loop;
  SocketPair pair;
  std::vector<int> order;
  loop.add_handler(pair.near.get(), Events::read, [&, live = Live()](int fd, Events) {
    order.push_back(1);
    loop.remove_handler(fd);
    loop.add_handler(fd, Events::read, [&](int, Events) { order.push_back(2); });
  });
  pair.put();
  loop.run_turn();
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK(order == std::vector<int>{1, 2});
  loop.remove_handler(pair.near.get());
}

TEST_CASE("an exception from a handler is logged, and the handler stays registered (IOL-38)",
          "[add_handler]") {
  TestLoop loop;
  SocketPair pair;
  int calls = 0;
  loop.add_handler(pair.near.get(), Events::read, [&](int, Events) {
    ++calls;
    throw std::runtime_error("no luck");
  });
  pair.put();
  loop.run_turn();
  loop.run_turn();
  CHECK(calls == 2);
  loop.log.expect("no luck");
  loop.log.expect("no luck");
  loop.remove_handler(pair.near.get());
}

TEST_CASE("a refused function object is destroyed and changes nothing (IOL-32)", "[add_handler]") {
  TestLoop loop;
  SocketPair pair;
  int calls = 0;
  loop.add_handler(pair.near.get(), Events::read, [&](int, Events) { ++calls; });
  CHECK_THROWS_AS(loop.add_handler(pair.near.get(), Events::read, [live = Live()](int, Events) {}),
                  std::invalid_argument);
  CHECK(Live::count == 0);
  pair.put();
  loop.run_turn();
  CHECK(calls == 1);
  loop.remove_handler(pair.near.get());
}

}  // namespace
}  // namespace squall::add_handler_test
