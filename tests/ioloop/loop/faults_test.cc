// Every system call of ioloop fails, with each errno of its man page, and every allocation fails.

#include "support/faults.h"

#include <squall/ioloop.h>
#include <squall/ioloop/loop/signal_handlers.h>
#include <squall/testing/virtual_clock.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/fill_timers.h"
#include "support/platform.h"
#include "support/test_loop.h"

namespace squall::loop_faults_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;
using testing::faults::AllocationFault;
using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::kAlways;
using testing::faults::open_descriptors;
using testing::faults::Short;
using testing::faults::Truce;

struct Row {
  Call call;
  std::initializer_list<int> errors;
};

// Errors that the man pages allow for valid arguments.
constexpr std::initializer_list<int> kUpdateErrors = {EBADF,  EEXIST, EINVAL, ELOOP,
                                                      ENOENT, ENOMEM, ENOSPC, EPERM};
const Call kWakerCall = testing::kPlatform == "posix" ? Call::pipe : Call::eventfd;
const Row kConstructor[] = {
    {Call::poller_create, {EINVAL, EMFILE, ENFILE, ENOMEM}},
    {kWakerCall, {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM}},
    {Call::poller_update, kUpdateErrors},
};

std::string named(Call call, int error) {
  return std::string(testing::faults::name_of(call)) + " fails: " + std::strerror(error);
}

// Whether the current poller makes this call: poll(2) has no object to create.
bool makes_call(Call call) {
  const TestLoop loop;
  return call != Call::poller_create || loop.poller_name() != "poll";
}

// The errno of the std::system_error that `function` throws; 0 if it does not throw.
template <class Function>
int errno_thrown(Function function) {
  try {
    function();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

std::array<OwnedFd, 2> socket_pair() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
void put(const OwnedFd& fd) {
  const Truce truce;
  REQUIRE(::write(fd.get(), "x", 1) == 1);
}
void get(const OwnedFd& fd) {
  const Truce truce;
  char byte;
  REQUIRE(::read(fd.get(), &byte, 1) == 1);
}

template <class Function>
EventHandler calling(Function& function) {
  return {[](void* self, Events events) { (*static_cast<Function*>(self))(events); }, &function};
}

Task<> never(Live = {}) { co_await sleep(24h); }

// ---- System calls.

TEST_CASE("the constructor throws the errno of the call that failed, and leaves no descriptor",
          "[faults][poller]") {
  for (const Row& row : kConstructor) {
    if (!makes_call(row.call)) continue;
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      IOLoop* const current = IOLoop::current_or_null();
      const int open = open_descriptors();
      const Injection fault(row.call, error);
      CHECK(errno_thrown([] { const IOLoop loop; }) == error);
      CHECK(fault.hits() == 1);
      CHECK(open_descriptors() == open);
      CHECK(IOLoop::current_or_null() == current);
    }
  }
}

TEST_CASE("a descriptor that the poller refuses is not registered, and can be added again",
          "[faults][poller]") {
  for (const int error : kUpdateErrors) {
    INFO(named(Call::poller_update, error));
    TestLoop loop;
    auto [near, far] = socket_pair();
    int calls = 0;
    auto on_event = [&](Events) { ++calls; };
    {
      const Injection fault(Call::poller_update, error);
      const auto add = [&] { loop.add_handler(near.get(), Events::read, calling(on_event)); };
      CHECK(errno_thrown(add) == error);
      CHECK(fault.hits() == 1);
    }
    CHECK_THROWS_AS(loop.update_handler(near.get(), Events::read), std::invalid_argument);
    put(far);
    loop.run_turn();
    CHECK(calls == 0);
    loop.add_handler(near.get(), Events::read, calling(on_event));
    loop.run_turn();
    CHECK(calls == 1);
    loop.remove_handler(near.get());
  }
}

TEST_CASE("a change that the poller refuses leaves the registration as it was", "[faults][poller]") {
  for (const int error : kUpdateErrors) {
    INFO(named(Call::poller_update, error));
    TestLoop loop;
    if (error == EBADF && loop.poller_name() == "kqueue") continue;  // for kqueue the reader has gone
    auto [near, far] = socket_pair();
    std::vector<Events> seen;
    auto on_event = [&](Events events) { seen.push_back(events); };
    loop.add_handler(near.get(), Events::read, calling(on_event));
    {
      const Injection fault(Call::poller_update, error);
      const auto update = [&] { loop.update_handler(near.get(), Events::read | Events::write); };
      CHECK(errno_thrown(update) == error);
      CHECK(fault.hits() == 1);
    }
    put(far);
    loop.run_turn();
    CHECK(seen == std::vector<Events>{Events::read});
    loop.update_handler(near.get(), Events::read | Events::write);
    seen.clear();
    loop.run_turn();
    Events all = Events::none;
    for (const Events each : seen) all = all | each;  // kqueue reports them one by one
    CHECK(all == (Events::read | Events::write));
    loop.remove_handler(near.get());
  }
}

TEST_CASE("a handler is removed even if the poller fails, and its number can be used again",
          "[faults][poller]") {
  for (const int error : kUpdateErrors) {
    INFO(named(Call::poller_update, error));
    TestLoop loop;
    auto [near, far] = socket_pair();
    int wrongly = 0;
    auto on_wrong = [&](Events) { ++wrongly; };
    loop.add_handler(near.get(), Events::read, calling(on_wrong));
    put(far);
    {
      const Injection fault(Call::poller_update, error);
      loop.remove_handler(near.get());
      CHECK(fault.hits() == (loop.poller_name() == "poll" ? 0 : 1));  // poll(2) needs no call for that
    }
    loop.run_turn();  // the kernel still reports it
    CHECK(wrongly == 0);
    const int number = near.get();
    near.reset();
    auto [again, other] = socket_pair();
    REQUIRE(again.get() == number);
    int calls = 0;
    auto on_event = [&](Events) { ++calls; };
    loop.add_handler(number, Events::read, calling(on_event));
    put(other);
    loop.run_turn();
    CHECK(calls == 1);
    CHECK(wrongly == 0);
    loop.remove_handler(number);
  }
}

TEST_CASE("an interrupted wait is repeated", "[faults][poller]") {
  TestLoop loop;
  bool fired = false;
  loop.call_later(1ms, [&] { fired = true; });
  const Injection fault(Call::poller_wait, EINTR, {.times = 3});
  loop.run_until([&] { return fired && fault.hits() == 3; });
}

TEST_CASE("start() throws the error of a failed wait, and can be called again", "[faults][poller]") {
  for (const int error : {EBADF, EFAULT, EINVAL, ENOMEM}) {
    INFO(named(Call::poller_wait, error));
    TestLoop loop;
    int ran = 0;
    loop.add_callback([&] { ++ran; });
    loop.call_later(0s, [&] { ++ran; });
    loop.spawn(never(Live()));
    {
      const Injection fault(Call::poller_wait, error);
      CHECK(errno_thrown([&] { loop.start(); }) == error);
      CHECK(fault.hits() == 1);
    }
    CHECK_FALSE(loop.running());
    CHECK(ran == 0);
    loop.run_turn();
    CHECK(ran == 2);
    {
      const Injection fault(Call::poller_wait, error);
      CHECK(errno_thrown([&] { loop.run_sync(never(Live())); }) == error);
    }
    CHECK(Live::count == 1);  // run_sync() has destroyed its task
    loop.run_turn();
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a loop is woken although the wake-up was interrupted, or the counter is full", "[faults]") {
  for (const int error : {EINTR, EAGAIN}) {
    INFO(named(Call::write, error));
    TestLoop loop;
    int hits = 0;
    int calls = 0;
    bool ran = false;
    std::thread([&] {
      // The counter is full only after a write.
      if (error == EAGAIN) loop.add_callback([] {});
      const Injection fault(Call::write, error);
      if (error == EAGAIN) loop.stop();
      loop.add_callback([&] {
        ran = true;
        loop.stop();
      });
      hits = fault.hits();
      calls = fault.calls();
    }).join();
    while (!ran) loop.start();
    CHECK(hits == 1);
    CHECK(calls == (error == EINTR ? 2 : 1));
  }
}

TEST_CASE("a wake-up that cannot be read has no effect", "[faults]") {
  for (const int error : {EAGAIN, EINTR}) {
    INFO(named(Call::read, error));
    TestLoop loop;
    const Injection fault(Call::read, error);
    bool ran = false;
    std::thread([&] { loop.add_callback([&] { ran = true; }); }).join();
    loop.run_until([&] { return ran && fault.hits() == 1; });
  }
}

TEST_CASE("a signal whose sigaction() failed can be handled by another loop", "[faults]") {
  for (const int error : {EFAULT, EINVAL}) {
    INFO(named(Call::sigaction, error));
    TestLoop loop;
    {
      const Injection fault(Call::sigaction, error);
      CHECK(errno_thrown([&] { loop.add_signal_handler(SIGUSR2, [live = Live()] {}); }) == error);
      CHECK(fault.hits() == 1);
    }
    CHECK(Live::count == 0);
    IOLoop other;
    other.add_signal_handler(SIGUSR2, [] {});
  }
}

TEST_CASE("a signal handler is removed even if the system refuses", "[faults]") {
  struct sigaction before{};
  ::sigaction(SIGUSR2, nullptr, &before);
  {
    TestLoop loop;
    loop.add_signal_handler(SIGUSR2, [live = Live()] {});
    const Injection fault(Call::sigaction, EINVAL);
    loop.remove_signal_handler(SIGUSR2);
    CHECK(fault.hits() == 1);
    CHECK(Live::count == 0);
  }
  ::raise(SIGUSR2);  // the handler is still installed, and has no loop to wake
  ::sigaction(SIGUSR2, &before, nullptr);
}

TEST_CASE("a descriptor whose close() fails is closed once", "[faults]") {
  for (const int error : {EBADF, EDQUOT, EINTR, EIO, ENOSPC}) {
    INFO(named(Call::close, error));
    const int open = open_descriptors();
    const Injection fault(Call::close, error, {.times = kAlways});
    {
      const IOLoop loop;
    }
    CHECK(fault.hits() == 2);
    CHECK(open_descriptors() == open);
  }
}

// Uses every part of the loop once, and runs until all parts have completed. Throws the first error.
void live_through() {
  const Live live;
  TestLoop loop;
  auto [near, far] = socket_pair();
  int seen = 0;
  auto on_event = [&, &near = near](Events) {
    get(near);
    ++seen;
  };
  loop.add_handler(near.get(), Events::read, calling(on_event));
  struct Removal {
    ~Removal() { loop.remove_handler(fd); }
    IOLoop& loop;
    int fd;
  } removal{loop, near.get()};
  loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
  loop.call_later(1ms, [&] { ++seen; });
  loop.add_callback([&] { ++seen; });
  loop.spawn(never(Live()));
  put(far);
  ::raise(SIGUSR1);
  while (seen < 4) loop.run_turn();
  loop.update_handler(near.get(), Events::write);
  loop.remove_signal_handler(SIGUSR1);
}

TEST_CASE("a failed call in the life of a loop is thrown or survived, and leaves no descriptor and no memory",
          "[faults][poller]") {
  const Row rows[] = {
      {Call::poller_create, {ENOMEM}},      {kWakerCall, {EMFILE}}, {Call::poller_update, {ENOMEM, ENOSPC}},
      {Call::poller_wait, {EINTR, ENOMEM}}, {Call::read, {EINTR}},  {Call::write, {EINTR}},
      {Call::sigaction, {EINVAL}},          {Call::close, {EINTR}},
  };
  struct sigaction before{};
  ::sigaction(SIGUSR1, nullptr, &before);
  for (const Row& row : rows) {
    if (!makes_call(row.call)) continue;
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      const int calls = in_turn([&](int after) {
        CAPTURE(after);
        const int open = open_descriptors();
        const Injection fault(row.call, error, {.after = after});
        const int thrown = errno_thrown(live_through);
        CHECK((thrown == 0 || thrown == error));
        CHECK(open_descriptors() == open);
        CHECK(Live::count == 0);
        const Truce truce;
        ::sigaction(SIGUSR1, &before, nullptr);
        return fault.hits() > 0;
      });
      CHECK(calls > 0);
    }
  }
}

// ---- The log.

// Replaces stderr by a pipe during its lifetime.
class PipedStderr {
 public:
  PipedStderr() : saved_(::dup(STDERR_FILENO)) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    read_.reset(ends[0]);
    const OwnedFd write(ends[1]);
    REQUIRE(::dup2(write.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  ~PipedStderr() { ::dup2(saved_.get(), STDERR_FILENO); }

  std::string written() {
    char buffer[4096];
    const auto count = ::read(read_.get(), buffer, sizeof buffer);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : std::string();
  }
  void close_reader() { read_.reset(); }

 private:
  OwnedFd saved_;
  OwnedFd read_;
};

TEST_CASE("only the log line that cannot be written is lost", "[faults]") {
  for (const int error : {EAGAIN, EBADF, EDQUOT, EFBIG, EIO, ENOSPC, EPERM, EPIPE}) {
    INFO(named(Call::write, error));
    PipedStderr pipe;
    {
      const Injection fault(Call::write, error, {.fd = STDERR_FILENO});
      log::general().error("lost");
      CHECK(fault.hits() == 1);
    }
    log::general().error("found");
    const std::string written = pipe.written();
    CHECK(written.find("lost") == std::string::npos);
    CHECK(written.find("found\n") != std::string::npos);
  }
}

TEST_CASE("a log line whose write is interrupted or partial arrives complete", "[faults]") {
  PipedStderr pipe;
  const Short pieces(Call::write, 3);
  const Injection interrupted(Call::write, EINTR, {.after = 2, .times = 2, .fd = STDERR_FILENO});
  log::general().error("a line of some length");
  CHECK(interrupted.hits() == 2);
  CHECK(pieces.hits() > 5);
  CHECK(pipe.written().ends_with("] a line of some length\n"));
}

TEST_CASE("logging to a pipe whose read end is closed does not end the program", "[faults]") {
  struct sigaction before{};
  ::sigaction(SIGPIPE, nullptr, &before);
  REQUIRE(before.sa_handler == SIG_DFL);
  {
    PipedStderr pipe;
    pipe.close_reader();
    log::general().error("nobody reads this");
  }
  sigset_t mask;
  sigset_t pending;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  ::sigpending(&pending);
  CHECK(::sigismember(&mask, SIGPIPE) == 0);
  CHECK(::sigismember(&pending, SIGPIPE) == 0);
}

// ---- Allocations.

TEST_CASE("a loop whose construction runs out of memory leaves no descriptor", "[faults]") {
  const int failures = in_turn([](int after) {
    CAPTURE(after);
    IOLoop* const current = IOLoop::current_or_null();
    const int open = open_descriptors();
    bool thrown = false;
    AllocationFault fault(after);
    try {
      const IOLoop loop;
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    const bool hit = fault.disarm() > 0;
    CHECK(thrown == hit);
    CHECK(open_descriptors() == open);
    CHECK(IOLoop::current_or_null() == current);
    return hit;
  });
  CHECK(failures >= 4);
}

// The captures of a closure of more than Callback::kInline bytes.
using Large = std::array<char, 100>;

Task<> note_after_moment(int& ran, Live = {}) {
  co_await moment();
  ++ran;
}
Task<> note_after_sleep(int& ran, Live = {}) {
  co_await sleep(0s);
  ++ran;
}
Task<> note_joined(TaskGroup& group, int& ran) {
  co_await group.join();
  ++ran;
}

// A loop that already has work of each kind. `operation` adds more work, which adds one to `ran`, and is
// called kTimes. One allocation fails among all these calls. Each time runs in a new thread, whose frame
// pool is empty.
template <class Operation>
void check_strong(const char* name, Operation operation) {
  constexpr int kTimes = 150;  // more than a block of callbacks, or the first array of timers
  INFO(name);
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool hit = false;
    std::thread([&] {
      TestLoop loop;
      TaskGroup group(loop);
      TaskGroup endless(loop);
      endless.add([]() -> Task<> { co_await sleep(24h); }());
      int earlier = 0;
      int ran = 0;
      loop.add_callback([&] { ++earlier; });
      loop.call_soon([&] { ++earlier; });
      loop.call_later(0s, [&] { ++earlier; });
      group.add(note_after_moment(earlier, Live()));
      group.add(note_joined(endless, ran));
      int thrown = 0;
      {
        AllocationFault fault(after);
        for (int i = 0; i < kTimes; ++i) {
          try {
            operation(loop, group, i, ran);
          } catch (const std::bad_alloc&) {
            ++thrown;
            --i;  // now it succeeds
          }
        }
        hit = fault.disarm() > 0;
      }
      CHECK(thrown == (hit ? 1 : 0));
      loop.run_until([&] { return earlier == 4 && ran == kTimes; });
      loop.run_turn();
      CHECK(ran == kTimes);
      CHECK(group.size() == 1);
    }).join();
    CHECK(Live::count == 0);
    return hit;
  });
  CHECK(failures > 0);
}

TEST_CASE("without memory add_callback() throws, and earlier callbacks run", "[faults]") {
  check_strong("add_callback()", [](IOLoop& loop, TaskGroup&, int, int& ran) {
    loop.add_callback([&ran, live = Live()] { ++ran; });
  });
  check_strong("add_callback() of a large closure", [](IOLoop& loop, TaskGroup&, int, int& ran) {
    loop.add_callback([&ran, large = Large(), live = Live()] { ran += 1 + large[0]; });
  });
  check_strong("call_soon()", [](IOLoop& loop, TaskGroup&, int, int& ran) {
    loop.call_soon([&ran, large = Large(), live = Live()] { ran += 1 + large[0]; });
  });
}

TEST_CASE("without memory a timer is refused, and earlier timers fire", "[faults]") {
  check_strong("call_later()", [](IOLoop& loop, TaskGroup&, int, int& ran) {
    loop.call_later(0s, [&ran, live = Live()] { ++ran; });
  });
  check_strong("call_at()", [](IOLoop& loop, TaskGroup&, int i, int& ran) {
    loop.call_at(loop.time() - std::chrono::seconds(i),
                 [&ran, large = Large(), live = Live()] { ran += 1 + large[0]; });
  });
}

TEST_CASE("without memory a task is refused, and earlier tasks continue", "[faults]") {
  check_strong("spawn()",
               [](IOLoop& loop, TaskGroup&, int, int& ran) { loop.spawn(note_after_moment(ran, Live())); });
  check_strong("TaskGroup::add()",
               [](IOLoop&, TaskGroup& group, int, int& ran) { group.add(note_after_moment(ran, Live())); });
}

Task<> read_into(Future<int> future, int& ran, Live = {}) {
  const int value = co_await std::move(future);
  ran += value;
}

TEST_CASE("without memory a promise throws, and earlier promises keep their values", "[faults]") {
  check_strong("Promise", [](IOLoop& loop, TaskGroup&, int, int& ran) {
    Promise<int> promise;
    Task<> reader = read_into(promise.get_future(), ran, Live());
    loop.spawn(std::move(reader));
    promise.set_value(1);
  });
}

TEST_CASE("without memory a descriptor is refused, and earlier descriptors are dispatched", "[faults]") {
  const OwnedFd always(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  std::vector<OwnedFd> fds;
  // Numbers above the capacity for the loop's own descriptors.
  for (int i = 0; i < 150; ++i) fds.emplace_back(::fcntl(always.get(), F_DUPFD_CLOEXEC, 300 + i));
  struct Once {
    IOLoop* loop;
    int fd;
    int* ran;
  };
  std::vector<Once> handlers(fds.size());
  check_strong("add_handler()", [&](IOLoop& loop, TaskGroup&, int i, int& ran) {
    const auto index = static_cast<std::size_t>(i);
    handlers[index] = {&loop, fds[index].get(), &ran};
    loop.add_handler(fds[index].get(), Events::read,
                     {[](void* self, Events) {
                        const auto& once = *static_cast<Once*>(self);
                        once.loop->remove_handler(once.fd);
                        ++*once.ran;
                      },
                      &handlers[index]});
  });
}

TEST_CASE("a signal that was refused for lack of memory can be handled by another loop", "[faults]") {
  const int failures = in_turn([](int after) {
    CAPTURE(after);
    TestLoop loop;
    bool thrown = false;
    AllocationFault fault(after);
    try {
      loop.add_signal_handler(SIGUSR1, [large = Large(), live = Live()] { static_cast<void>(large); });
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    const bool hit = fault.disarm() > 0;
    CHECK(thrown == hit);
    if (thrown) {
      CHECK(Live::count == 0);
      IOLoop other;
      other.add_signal_handler(SIGUSR1, [] {});
    }
    return hit;
  });
  CHECK(failures >= 3);
  CHECK(Live::count == 0);
}

Task<> sleep_until_refused(int& refused) {
  co_await moment();
  try {
    co_await sleep(0s);
  } catch (const std::bad_alloc&) {
    ++refused;
  }
}
Task<> race_until_refused(int& refused) {
  co_await moment();
  try {
    co_await with_timeout(1h, never(Live()));
  } catch (const std::bad_alloc&) {
    ++refused;
  }
}

TEST_CASE("a task that waits for a timer gets std::bad_alloc without memory", "[faults]") {
  TestLoop loop;
  int refused = 0;
  loop.spawn(sleep_until_refused(refused));
  loop.spawn(race_until_refused(refused));
  {
    AllocationFault fault(0, kAlways);
    loop.run_turn();
    fault.disarm();
  }
  CHECK(refused == 2);
  CHECK(Live::count == 0);
}

Task<> note_broken(Future<> future, int& ran, Live = {}) {
  try {
    co_await std::move(future);
  } catch (...) {
    ++ran;  // BrokenPromise, or bad_alloc if BrokenPromise cannot be allocated
  }
}

TEST_CASE("turns run all due work without any memory", "[faults][poller]") {
  constexpr int kMany = 2000;
  constexpr int kSome = 300;  // more than one batch of events
  {
    TestLoop loop;
    TaskGroup group(loop);
    TaskGroup joiners(loop);
    std::vector<Promise<>> promises;
    int callbacks = 0;
    int timers = 0;
    int tasks = 0;
    int joined = 0;
    int broken = 0;
    int events = 0;
    for (int i = 0; i < kMany; ++i) {
      loop.add_callback([&callbacks, live = Live()] { ++callbacks; });
      loop.call_soon([&callbacks, live = Live()] { ++callbacks; });
      loop.call_later(0s, [&timers, live = Live()] { ++timers; });
      group.add(note_after_moment(tasks, Live()));
    }
    for (int i = 0; i < 100; ++i) {
      joiners.add(note_joined(group, joined));
      promises.emplace_back();
      loop.spawn(note_broken(promises.back().get_future(), broken, Live()));
    }
    loop.call_later(0s, [&] { promises.clear(); });
    std::thread([&] {
      for (int i = 0; i < kMany; ++i) loop.add_callback([&callbacks, live = Live()] { ++callbacks; });
    }).join();
    const OwnedFd always(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    std::vector<OwnedFd> fds;
    std::vector<bool> heard(kSome);
    auto on_event = [&](Events) { ++events; };
    for (int i = 0; i < kSome; ++i) {
      fds.emplace_back(::dup(always.get()));
      loop.add_handler(fds.back().get(), Events::read, calling(on_event));
    }
    int refused = 0;
    {
      AllocationFault fault(0, kAlways);
      for (int turn = 0; turn < 60; ++turn) loop.run_turn();
      refused = fault.disarm();
    }
    CHECK(refused > 0);
    CHECK(callbacks == 3 * kMany);
    CHECK(timers == kMany);
    CHECK(tasks == kMany);
    CHECK(joined == 100);
    CHECK(broken == 100);
    CHECK(events >= kSome);
    CHECK(group.empty());
    CHECK(joiners.empty());
    CHECK(Live::count == 0);
    for (const OwnedFd& fd : fds) loop.remove_handler(fd.get());
  }
}

TEST_CASE("a handler is removed although the poller fails and memory is exhausted", "[faults]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  auto on_event = [](Events) {};
  loop.add_handler(near.get(), Events::read, calling(on_event));
  if (loop.poller_name() == "poll") return loop.remove_handler(near.get());  // makes no call to remove it
  const Injection fault(Call::poller_update, ENOMEM);
  {
    AllocationFault no_memory(0, kAlways);
    loop.remove_handler(near.get());
    CHECK(no_memory.disarm() > 0);
  }
  CHECK(fault.hits() == 1);
  CHECK_THROWS_AS(loop.update_handler(near.get(), Events::none), std::invalid_argument);
}

TEST_CASE("a callback without memory loses at most a log line", "[faults]") {
  TestLoop loop;
  int ran = 0;
  loop.add_callback([&] {
    loop.call_later(1h, [] {});
    ran += 100;
  });
  loop.add_callback([&] { ++ran; });
  {
    AllocationFault fault(0, kAlways);
    loop.run_turn();
    fault.disarm();
  }
  CHECK(ran == 1);
  CHECK(loop.log.empty());
}

TEST_CASE("timers that are due together fire in order, with memory for only a few", "[faults]") {
  TestLoop loop;
  std::vector<int> order;
  order.reserve(1000);
  const auto start = loop.time();
  for (int i = 0; i < 1000; ++i) {
    const int number = i * 7 % 1000;
    loop.call_at(start - 1h + std::chrono::microseconds(number),
                 [&order, number] { order.push_back(number); });
  }
  {
    AllocationFault fault(0, kAlways);
    for (int turn = 0; turn < 20; ++turn) loop.run_turn();
    fault.disarm();
  }
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a loop with work of all kinds ends without any memory", "[faults]") {
  const int open = open_descriptors();
  {
    auto loop = std::make_unique<TestLoop>();
    int ran = 0;
    for (int i = 0; i < 100; ++i) {
      loop->add_callback([live = Live()] {});
      loop->call_soon([live = Live()] {});
      loop->call_later(1h, [live = Live()] {});
      loop->spawn(note_after_sleep(ran, Live()));
      loop->spawn(never(Live()));
    }
    AllocationFault fault(0, kAlways);
    loop.reset();
    fault.disarm();
  }
  CHECK(Live::count == 0);
  CHECK(open_descriptors() == open);
}

// A timer that adds itself anew until it has run ten times.
void repeat(IOLoop& loop, int& ran) {
  if (++ran < 10) loop.call_later(0s, [&loop, &ran] { repeat(loop, ran); });
}

TEST_CASE("a timer that adds itself anew needs no memory", "[faults]") {
  TestLoop loop;
  int ran = 0;
  int other = 0;
  loop.call_later(0s, [&] { repeat(loop, ran); });
  loop.call_later(0s, [&] { repeat(loop, other); });
  testing::fill_timers(loop);
  {
    AllocationFault fault(0, kAlways);
    for (int turn = 0; turn < 100; ++turn) loop.run_turn();
    fault.disarm();
  }
  CHECK(ran == 10);
  CHECK(other == 10);
}

TEST_CASE("a timer that adds two does not take the memory of another that adds itself anew", "[faults]") {
  TestLoop loop;
  int ran = 0;
  bool is_refused = false;
  loop.call_later(0s, [&] {
    loop.call_later(1h, [] {});
    try {
      loop.call_later(1h, [] {});
    } catch (const std::bad_alloc&) {
      is_refused = true;
    }
  });
  loop.call_later(0s, [&] { repeat(loop, ran); });
  testing::fill_timers(loop);
  {
    AllocationFault fault(0, kAlways);
    for (int turn = 0; turn < 100; ++turn) loop.run_turn();
    fault.disarm();
  }
  CHECK(is_refused);
  CHECK(ran == 10);
}

Task<> call_later(const std::function<void()>& function) {
  co_await moment();
  function();
}

TEST_CASE("the beats of a PeriodicCallback go on once there is memory", "[faults]") {
  const bool is_task = GENERATE(false, true);
  CAPTURE(is_task);
  testing::VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  int beats = 0;
  const std::function<void()> beat = [&] {
    if (++beats == 1) testing::fill_timers(loop);
  };
  PeriodicCallback plain(1ms, beat);
  PeriodicCallback waiting(1ms, [&beat] { return call_later(beat); });
  PeriodicCallback& callback = is_task ? waiting : plain;
  callback.start();
  {
    loop.run_until([&] { return beats == 1; });
    AllocationFault fault(0, kAlways);
    for (int turn = 0; turn < 20; ++turn) loop.run_turn();
    fault.disarm();
  }
  CHECK(beats == 1);
  CHECK(callback.is_running());
  loop.run_until([&] { return beats >= 4; });
}

// ---- Functions over tasks.

Task<> moment_later(Live = {}) { co_await moment(); }
Task<int> one_later(Live = {}) {
  co_await moment();
  co_return 1;
}

Task<> with_timeout_of_moment() { co_await with_timeout(1h, moment_later(Live())); }
Task<> multi_of_two() {
  std::vector<Task<int>> tasks;
  tasks.push_back(one_later(Live()));
  tasks.push_back(one_later(Live()));
  const std::vector<int> ones = co_await multi(std::move(tasks));
  CHECK(ones.size() == 2);
}
Task<> race_of_two() {
  std::vector<Task<int>> tasks;
  tasks.push_back(one_later(Live()));
  tasks.push_back(one_later(Live()));
  co_await race(std::move(tasks));
}
Task<> wait_iterator_of_two() {
  std::vector<Task<int>> tasks;
  tasks.push_back(one_later(Live()));
  tasks.push_back(one_later(Live()));
  WaitIterator<int> ended(std::move(tasks));
  while (!ended.done()) {
    const int one = co_await ended.next();
    CHECK(one == 1);
  }
}
AsyncGenerator<int> three(Live = {}) {
  for (int i = 0; i < 3; ++i) {
    co_await moment();
    co_yield i;
  }
}
Task<> generator_of_three() {
  AsyncGenerator<int> numbers = three();
  for (;;) {
    const std::optional<int> number = co_await numbers.next();
    if (!number) break;
  }
}
Task<> queue_of_many() {
  Queue<int> queue;
  for (int i = 0; i < 100; ++i) co_await queue.put(i);
  for (int i = 0; i < 100; ++i) {
    const int item = co_await queue.get();
    CHECK(item == i);
  }
}
Task<> future_of_promise() {
  Promise<int> promise;
  Future<int> future = promise.get_future();
  promise.set_value(1);
  const int one = co_await std::move(future);
  CHECK(one == 1);
}
Task<> readable_pipe() {
  const OwnedFd ready(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  co_await wait_readable(ready.get());
}
Task<> spawned_tasks() {
  int ran = 0;
  TaskGroup group;
  group.add(note_after_moment(ran, Live()));
  group.add(note_after_sleep(ran, Live()));
  co_await group.join();
  CHECK(group.empty());
}

Task<> note_end(Task<> work, bool& ended, bool& refused) {
  try {
    co_await std::move(work);
  } catch (const std::bad_alloc&) {
    refused = true;
  } catch (const BrokenPromise&) {
    refused = true;
  }
  ended = true;
}

TEST_CASE("whichever allocation of a function over tasks fails, it ends, and leaves nothing behind",
          "[faults]") {
  struct Row {
    const char* name;
    Task<> (*work)();
  };
  const Row rows[] = {
      {"with_timeout()", with_timeout_of_moment},
      {"multi()", multi_of_two},
      {"race()", race_of_two},
      {"WaitIterator", wait_iterator_of_two},
      {"AsyncGenerator", generator_of_three},
      {"Queue", queue_of_many},
      {"Future", future_of_promise},
      {"wait_readable()", readable_pipe},
      {"TaskGroup", spawned_tasks},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    const int failures = in_turn([&](int after) {
      CAPTURE(after);
      bool hit = false;
      // In a thread of its own, whose pools are empty.
      std::thread([&] {
        TestLoop loop;
        bool ended = false;
        bool refused = false;
        {
          TaskGroup group(loop);
          AllocationFault fault(after);
          try {
            group.add(note_end(row.work(), ended, refused));
          } catch (const std::bad_alloc&) {
            ended = refused = true;
          }
          for (int turn = 0; turn < 10; ++turn) loop.run_turn();
          hit = fault.disarm() > 0;
          loop.run_until([&] { return ended; });
        }
        CHECK((hit || !refused));
        loop.log.expect_any("");
      }).join();
      CHECK(Live::count == 0);
      return hit;
    });
    CHECK(failures > 0);
  }
}

TEST_CASE("the result of a job arrives although there was no memory to tell the loop", "[faults]") {
  TestLoop loop;
  // On the thread of the job, which ends with the pool.
  static thread_local std::optional<AllocationFault> t_fault;
  ThreadPool pool;
  const auto job = [] {
    t_fault.emplace(0, 3);
    return 7;
  };
  const auto run = [](ThreadPool& pool, int (*function)()) -> Task<int> {
    const int result = co_await run_in_executor(pool, function);
    co_return result;
  };
  CHECK(loop.run(run(pool, job)) == 7);
}

TEST_CASE("a job that runs within submit() does not hold its loop when there is no memory for its result",
          "[faults]") {
  TestLoop loop;
  DummyExecutor here;
  std::optional<AllocationFault> fault;
  const auto run = [](Executor& executor, std::optional<AllocationFault>& fault) -> Task<> {
    const auto job = [&fault] {
      fault.emplace(0, kAlways);
      try {
        for (;;) IOLoop::current().add_callback([] {});  // until there is no place for the result either
      } catch (const std::bad_alloc&) {
      }
    };
    co_await run_in_executor(executor, job);
  };
  const auto get = [&]() -> Task<bool> {
    bool is_refused = false;
    try {
      co_await run(here, fault);
    } catch (const std::bad_alloc&) {
      is_refused = true;
    }
    co_return is_refused;
  };
  const bool is_refused = loop.run(get());
  fault.reset();
  CHECK(is_refused);
}

}  // namespace
}  // namespace squall::loop_faults_test
