#include <squall/iostream/tcp/happy_eyeballs.h>

#include <squall/testing/virtual_clock.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/fake_resolver.h"
#include "support/listeners.h"
#include "support/test_loop.h"

namespace squall::happy_eyeballs_test {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::count_descriptors;
using testing::DeadEnd;
using testing::DeafListener;
using testing::Listener;
using testing::Live;
using testing::TestLoop;
using testing::VirtualClock;

std::string order_of(const std::vector<std::string>& ips) {
  std::vector<Address> addresses;
  for (const std::string& ip : ips) addresses.push_back(address(ip, 1));
  std::string text;
  for (const Address& each : interleave_families(addresses)) text += (text.empty() ? "" : " ") + each.ip();
  return text;
}

TEST_CASE("families take turns, the first address's first (TCL-10; RFC 8305, 4)", "[happy_eyeballs]") {
  CHECK(order_of({}) == "");
  CHECK(order_of({"127.0.0.1"}) == "127.0.0.1");
  CHECK(order_of({"::1", "::2", "::3", "127.0.0.1", "127.0.0.2"}) == "::1 127.0.0.1 ::2 127.0.0.2 ::3");
  CHECK(order_of({"127.0.0.1", "127.0.0.2", "::1"}) == "127.0.0.1 ::1 127.0.0.2");
  CHECK(order_of({"127.0.0.1", "::1", "::2", "::3"}) == "127.0.0.1 ::1 ::2 ::3");
}

// A race with a virtual clock, which the test advances.
struct Contest {
  VirtualClock clock{VirtualClock::Idle::wait};
  TestLoop loop{{.time_source = &clock}};
  ConnectProgress progress;
  OwnedFd fd;
  bool done = false;
  TaskGroup group{loop};

  Task<> run(std::vector<Address> addresses, IOLoop::Duration delay, Live = {}) {
    const LocalEnd local;
    fd = co_await connect_to_first(std::move(addresses), local, delay, progress);
    done = true;
  }
  void begin(std::vector<Address> addresses, IOLoop::Duration delay = 250ms) {
    group.add(run(std::move(addresses), delay));
  }
  void wait() {
    loop.run_until([&] { return done; });
  }
  void turns() {
    for (int i = 0; i < 5; ++i) loop.run_turn();
  }
  std::size_t begun() const { return progress.attempts.size(); }
  std::string peer() const { return Address::peer_of(fd.get()).to_string(); }
};

TEST_CASE("if the first address answers, no other is tried", "[happy_eyeballs]") {
  const Listener first;
  const Listener second;
  Contest contest;
  contest.begin({first.address(), second.address()});
  contest.wait();
  CHECK(contest.peer() == first.address().to_string());
  CHECK(contest.begun() == 1);
  CHECK_FALSE(contest.progress.attempts[0].error);
  CHECK(second.accept().error == EAGAIN);
}

TEST_CASE("a refused connection starts the next attempt at once (TCL-11; RFC 8305, 5)", "[happy_eyeballs]") {
  const DeadEnd first;
  const DeadEnd second;
  const Listener third;
  Contest contest;
  contest.begin({first.address(), second.address(), third.address()});
  contest.wait();
  CHECK(contest.peer() == third.address().to_string());
  CHECK(contest.begun() == 3);
  for (const std::size_t i : {0, 1}) CHECK(contest.progress.attempts[i].error.value() == ECONNREFUSED);
}

TEST_CASE("after the delay, and not before, the next is tried as well (TCL-11; RFC 8305, 5)",
          "[happy_eyeballs]") {
  const DeafListener first;
  const DeafListener second;
  const Listener third;
  Contest contest;
  const int before = count_descriptors();
  contest.begin({first.address(), second.address(), third.address()}, 250ms);
  for (const std::size_t begun : {1, 2}) {
    contest.turns();
    CHECK(contest.begun() == begun);
    contest.clock.advance(249ms);
    contest.turns();
    CHECK(contest.begun() == begun);
    CHECK(count_descriptors() == before + static_cast<int>(begun));
    contest.clock.advance(1ms);
  }
  contest.wait();
  CHECK(contest.peer() == third.address().to_string());
  CHECK(contest.begun() == 3);
  // The two that have not answered are closed (TCL-12).
  CHECK(count_descriptors() == before + 1);
  for (const ConnectAttempt& attempt : contest.progress.attempts) CHECK_FALSE(attempt.error);
}

TEST_CASE("a failure starts the next attempt at once, also while earlier attempts wait (RFC 8305, 5)",
          "[happy_eyeballs]") {
  const DeafListener first;
  const DeadEnd second;
  const Listener third;
  Contest contest;
  contest.begin({first.address(), second.address(), third.address()});
  contest.turns();
  CHECK(contest.begun() == 1);
  contest.clock.advance(250ms);
  contest.wait();
  CHECK(contest.peer() == third.address().to_string());
  CHECK(contest.progress.attempts[1].error.value() == ECONNREFUSED);
}

TEST_CASE("of two that succeed one is closed (TCL-12)", "[happy_eyeballs]") {
  const Listener first;
  const Listener second;
  Contest contest;
  const int before = count_descriptors();
  contest.begin({first.address(), second.address()});
  // The delay ends in the same turn in which the first address answers.
  contest.clock.advance(250ms);
  contest.wait();
  CHECK(contest.begun() == 2);
  CHECK(count_descriptors() == before + 1);
  CHECK(contest.peer() == first.address().to_string());
  const Accepted loser = second.accept();
  REQUIRE(loser.fd);
  CHECK(peek_at(loser.fd.get()) == 0);
}

TEST_CASE("an error has the reason of each failed attempt (TCL-13)", "[happy_eyeballs]") {
  const DeadEnd first;
  Contest contest;
  contest.begin({first.address(), address("255.255.255.255", 80), first.address()});
  contest.wait();
  CHECK_FALSE(contest.fd);
  REQUIRE(contest.begun() == 3);
  CHECK(contest.progress.attempts[0].error.value() == ECONNREFUSED);
  CHECK(contest.progress.attempts[1].error);
  CHECK(contest.progress.attempts[1].error.value() != ECONNREFUSED);
  CHECK(contest.progress.attempts[2].error.value() == ECONNREFUSED);
  CHECK(contest.progress.last_error.value() == ECONNREFUSED);
}

TEST_CASE("without addresses no socket is connected", "[happy_eyeballs]") {
  Contest contest;
  contest.begin({});
  CHECK(contest.done);
  CHECK_FALSE(contest.fd);
}

TEST_CASE("a dropped race leaves no descriptor open, at each point where it may wait", "[happy_eyeballs]") {
  const DeafListener deaf;
  const Listener good;
  const int before = count_descriptors();
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    {
      Contest contest;
      const std::vector<Address> deaf_ones(2, deaf.address());
      const std::vector<Address> one(1, good.address());
      contest.begin(stage < 3 ? deaf_ones : one);     // 0: has just begun
      if (stage == 1 || stage == 2) contest.turns();  // 1: the first is tried, and the delay goes by
      if (stage == 2) contest.clock.advance(250ms);
      if (stage == 2) contest.turns();          // 2: both are tried
      if (stage == 3) contest.loop.run_turn();  // 3: has been answered, and has not heard of it
      CHECK(contest.begun() == (stage == 2 ? 2 : 1));
      CHECK(Live::count == 1);
      contest.group.destroy();
      CHECK(Live::count == 0);
    }
    CHECK(count_descriptors() == before);
  }
}

}  // namespace
}  // namespace squall::happy_eyeballs_test
