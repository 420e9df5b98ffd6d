#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/poller/waker.h>

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "support/catch.h"

// In the program that uses the pipe instead of the eventfd.
namespace squall::waker_pipe_test {
namespace {

TEST_CASE("this program's waker is a pipe", "[waker]") {
  const Waker waker;
  struct stat file;
  REQUIRE(::fstat(waker.fd(), &file) == 0);
  CHECK(S_ISFIFO(file.st_mode));
}

TEST_CASE("a loop that sleeps is woken through a pipe", "[waker][threads]") {
  IOLoop loop;
  int ran = 0;
  constexpr int kCallbacks = 1000;
  std::thread other([&] {
    for (int i = 0; i < kCallbacks; ++i) {
      loop.add_callback([&] {
        if (++ran == kCallbacks) loop.stop();
      });
      std::this_thread::yield();
    }
  });
  loop.start();
  other.join();
  CHECK(ran == kCallbacks);
}

}  // namespace
}  // namespace squall::waker_pipe_test
