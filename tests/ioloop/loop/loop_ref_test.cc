#include <squall/ioloop/loop/loop_ref.h>

#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/coro/periodic_callback.h>
#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task_group.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::loop_ref_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::SocketPair;

Task<> note(bool& begun, Live = {}) {
  begun = true;
  co_return;
}

TEST_CASE("a reference refers to the loop, and after its end to remains that never run", "[loop_ref]") {
  auto loop = std::make_unique<IOLoop>();
  const LoopRef ref = *loop;
  const LoopRef copy = ref;
  CHECK(&*ref == loop.get());
  CHECK(&*copy == loop.get());
  const int others = IOLoop::live_loops() - 1;
  loop.reset();
  CHECK(IOLoop::live_loops() == others);
  CHECK(&*copy == &*ref);
  CHECK_FALSE(ref->running());
  CHECK(ref->time() > IOLoop::TimePoint());
  CHECK_THROWS_AS(ref->start(), std::logic_error);
  CHECK_THROWS_AS(ref->run_once(0s), std::logic_error);
  ref->stop();
  // The next loop is another one, even at the same address.
  const IOLoop next;
  CHECK(&*ref != &next);
}

TEST_CASE("a reference can be made from the remains, and assigned", "[loop_ref]") {
  std::optional<LoopRef> ref;
  {
    IOLoop loop;
    ref = loop;
  }
  const LoopRef second = **ref;
  CHECK(&*second == &**ref);
  IOLoop loop;
  ref = loop;
  CHECK(&**ref == &loop);
  ref.reset();
  CHECK(second->stats().tasks == 0);
}

TEST_CASE("what is given to the remains is destroyed, uncalled", "[loop_ref]") {
  std::optional<LoopRef> ref;
  Timeout timer;
  IOLoop::Ticket ticket = 0;
  {
    IOLoop loop;
    ref = loop;
    timer = loop.call_later(1h, [live = Live()] {});
    ticket = loop.call_soon([live = Live()] {});
  }
  CHECK(Live::count == 0);
  IOLoop& remains = **ref;
  bool begun = false;
  remains.spawn(note(begun));
  remains.add_callback([live = Live()] {});
  remains.call_soon([live = Live()] {});
  CHECK_FALSE(remains.call_later(0s, [live = Live()] {}));
  CHECK_FALSE(remains.call_at(IOLoop::TimePoint(), [live = Live()] {}));
  CHECK_FALSE(remains.handle().add_callback([live = Live()] {}));
  CHECK(Live::count == 0);
  CHECK_FALSE(begun);
  remains.remove_timeout(timer);
  remains.withdraw(ticket);
}

TEST_CASE("handlers stay registered with the remains until they are removed", "[loop_ref]") {
  const SocketPair sockets;
  const int fd = sockets.near.get();
  int context = 0;
  std::optional<LoopRef> ref;
  {
    IOLoop loop;
    ref = loop;
    loop.add_handler(fd, Events::read, {[](void*, Events) {}, &context});
  }
  IOLoop& remains = **ref;
  CHECK(remains.handler_of(fd).context == &context);
  remains.update_handler(fd, Events::write);
  remains.set_handler(fd, {[](void*, Events) {}, nullptr});
  CHECK(remains.handler_of(fd).context == nullptr);
  remains.remove_handler(fd);
  CHECK_FALSE(remains.handler_of(fd).function);
  remains.add_handler(fd, Events::read, [live = Live()](int, Events) {});
  CHECK(Live::count == 0);
  remains.remove_handler(fd);
}

TEST_CASE("an object that outlives a loop with a virtual clock reads the time of the steady clock",
          "[loop_ref]") {
  std::optional<LoopRef> ref;
  {
    struct Frozen final : TimeSource {
      TimePoint now() noexcept override { return TimePoint(); }
      bool skip_to(TimePoint) noexcept override { return false; }
    } clock;
    IOLoop::Options options;
    options.time_source = &clock;
    IOLoop loop(options);
    ref = loop;
    CHECK((*ref)->time() == IOLoop::TimePoint());
  }
  CHECK((*ref)->time() > IOLoop::TimePoint());
}

TEST_CASE("after the implicit loop of a thread current() makes another loop", "[loop_ref]") {
  if (kAddressSanitizer) return;  // such a loop is never destroyed, and counts as a leak
  struct AtThreadEnd {
    ~AtThreadEnd() {
      // Constructed before the thread's loop, and so destroyed after it.
      CHECK(IOLoop::current_or_null() == nullptr);
      CHECK_FALSE(IOLoop::current().running());
    }
    int used = 0;
  };
  std::thread([] {
    static thread_local AtThreadEnd object;
    object.used = 1;
    IOLoop::current().run_once(0s);
  }).join();
}

}  // namespace
}  // namespace squall::loop_ref_test
