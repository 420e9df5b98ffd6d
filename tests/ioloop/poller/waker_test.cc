#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/poller/waker.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/descriptor_limit.h"

// Compiled into two programs: with the waker that this system uses, and with the one made of a pipe.
namespace squall::waker_test {
namespace {

bool is_readable(const Waker& waker) {
  pollfd polled{waker.fd(), POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1 && polled.revents == POLLIN;
}

TEST_CASE("a waker is readable from wake() until drain()", "[waker]") {
  const Waker waker;
  CHECK_FALSE(is_readable(waker));
  waker.wake();
  CHECK(is_readable(waker));
  waker.wake();
  CHECK(is_readable(waker));
  waker.drain();
  CHECK_FALSE(is_readable(waker));
  waker.drain();  // finds nothing, and does not wait
  waker.wake();
  CHECK(is_readable(waker));
}

TEST_CASE("one drain() takes any number of wake-ups, and none of them blocks", "[waker]") {
  const Waker waker;
  // More than a pipe holds.
  for (int i = 0; i < 200'000; ++i) waker.wake();
  CHECK(is_readable(waker));
  waker.drain();
  CHECK_FALSE(is_readable(waker));
}

TEST_CASE("wake() leaves errno as it was", "[waker]") {
  const Waker waker;
  errno = 4711;
  for (int i = 0; i < 100'000; ++i) waker.wake();
  CHECK(errno == 4711);
}

TEST_CASE("a waker's descriptor neither waits nor is inherited", "[waker]") {
  const Waker waker;
  CHECK((::fcntl(waker.fd(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(::fcntl(waker.fd(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("a waker that cannot be made says why", "[waker]") {
  if (kAddressSanitizer) return;  // UBSan is on too, and needs descriptors to inspect an exception
  const testing::DescriptorLimit few(256);
  std::vector<OwnedFd> taken;
  while (taken.empty() || taken.back()) taken.emplace_back(::dup(0));
  int error = 0;
  try {
    const Waker waker;
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  CHECK(error == EMFILE);
}

const Waker* g_waker = nullptr;

TEST_CASE("a signal handler may wake", "[waker]") {
  const Waker waker;
  g_waker = &waker;
  const auto before = ::signal(SIGUSR1, [](int) { g_waker->wake(); });
  ::raise(SIGUSR1);
  ::signal(SIGUSR1, before);
  g_waker = nullptr;
  CHECK(is_readable(waker));
}

TEST_CASE("other threads may wake, and a wake-up after drain() is not lost", "[waker][threads]") {
  const Waker waker;
  constexpr int kRounds = 2000;
  std::atomic<int> sent = 0;
  std::atomic<int> seen = 0;
  std::thread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      sent = i;
      waker.wake();
      while (seen < i) std::this_thread::yield();
    }
  });
  while (seen < kRounds) {
    pollfd polled{waker.fd(), POLLIN, 0};
    ::poll(&polled, 1, -1);
    waker.drain();
    seen = sent.load();
  }
  other.join();
  CHECK(seen == kRounds);
}

}  // namespace
}  // namespace squall::waker_test
