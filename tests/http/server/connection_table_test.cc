// Every kind of deadline, with few connections and with many, over a clock that stands still.

#include <squall/http/server/connection_table.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::http::connection_table_test {
namespace {

using namespace std::chrono_literals;
using Wait = ConnectionTable::Wait;
using std::chrono::nanoseconds;

constexpr ConnectionTable::Timeouts kTimeouts = {
    .idle = 3600s, .head = 60s, .body = 600s, .write = 60s, .linger = 5s};

// A loop whose time passes by hand, and a table in it.
struct Fixture {
  explicit Fixture(const ConnectionTable::Timeouts& timeouts = kTimeouts)
      : loop({.time_source = &clock}), table(loop, timeouts) {}

  IOLoop::TimePoint now() { return clock.now(); }
  // Time passes in steps of 1 ms at most, if anything is due then, else in larger ones.
  void pass(nanoseconds time) {
    const IOLoop::TimePoint end = clock.now() + time;
    while (clock.now() < end) {
      const auto next = loop.next_timeout();
      nanoseconds step = end - clock.now();
      if (next) step = std::min(step, std::max<nanoseconds>(*next, 0ns));
      clock.advance(step);
      loop.run_turn();
      while (loop.next_timeout() == IOLoop::Duration::zero()) loop.run_turn();
    }
  }

  testing::VirtualClock clock{testing::VirtualClock::Idle::wait};
  testing::TestLoop loop;
  ConnectionTable table;
};

// A connection that notes when it timed out.
struct Fake final : ConnectionTable::Active {
  explicit Fake(Fixture& fixture) : fixture(fixture) { fixture.table.add(*this); }
  ~Fake() { fixture.table.remove(*this); }

  void timed_out(Wait wait) noexcept override {
    ended = fixture.now();
    ended_by = wait;
  }
  void write_timed_out() noexcept override {
    ended = fixture.now();
    write_ended = true;
  }
  void settled() noexcept override { has_settled = true; }
  std::uint64_t unsent_bytes() const noexcept override { return unsent; }
  std::uint64_t sent_bytes() const noexcept override { return sent; }

  Fixture& fixture;
  std::uint64_t unsent = 0;
  std::uint64_t sent = 0;
  bool has_settled = false;
  bool write_ended = false;
  std::optional<IOLoop::TimePoint> ended;
  std::optional<Wait> ended_by;
};

struct FakeParked final : ConnectionTable::Parked {
  FakeParked(Fixture& fixture, std::vector<IOLoop::TimePoint>& ends) : fixture(fixture), ends(ends) {}
  ~FakeParked() override { ends.push_back(fixture.now()); }
  Fixture& fixture;
  std::vector<IOLoop::TimePoint>& ends;
};

// Not before it is due, and at most 5 % or 250 ms after that, whichever is more.
std::string lateness(IOLoop::TimePoint begun, nanoseconds timeout, std::optional<IOLoop::TimePoint> ended) {
  if (!ended) return "never";
  const nanoseconds late = *ended - begun - timeout;
  if (late < 0ns) return fmt::format("{} ns too early", -late.count());
  if (late > std::max<nanoseconds>(timeout / 20, 250ms)) return fmt::format("{} ns late", late.count());
  return "";
}

struct Kind {
  const char* name;
  Wait wait;
  bool sends;  // bytes stay unsent
  nanoseconds timeout;
};

TEST_CASE("every timeout fires when it is due, with any number of connections", "[connection_table]") {
  const Kind kinds[] = {
      {"idle", Wait::request, false, kTimeouts.idle},
      {"head", Wait::head, false, kTimeouts.head},
      {"body", Wait::body, false, kTimeouts.body},
      {"linger", Wait::linger, false, kTimeouts.linger},
      {"write, idle", Wait::request, true, kTimeouts.write},
      {"write, head", Wait::head, true, kTimeouts.write},
      {"write, handler", Wait::handler, true, kTimeouts.write},
      {"write, linger", Wait::linger, true, kTimeouts.write},
      {"write, close", Wait::close, true, kTimeouts.write},
  };
  for (const int count : {1, 200, 10'000}) {
    for (const Kind& kind : kinds) {
      CAPTURE(count, kind.name);
      Fixture fixture;
      std::vector<std::unique_ptr<Fake>> connections;
      std::vector<IOLoop::TimePoint> begun;
      // Their waits begin at different times, some at the same.
      for (int i = 0; i < count; ++i) {
        auto connection = std::make_unique<Fake>(fixture);
        connection->unsent = kind.sends ? 1 : 0;
        fixture.table.wait(*connection, kind.wait);
        begun.push_back(fixture.now());
        connections.push_back(std::move(connection));
        if (i % 10 == 9) fixture.clock.advance(1ms);
      }
      fixture.pass(kind.timeout + kind.timeout / 5 + 2s);
      int wrong = 0;
      for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const std::string late = lateness(begun[at], kind.timeout, connections[at]->ended);
        if (late.empty()) continue;
        if (++wrong == 1) CHECK(late == "");
      }
      CHECK(wrong == 0);
      CHECK(connections.front()->write_ended == kind.sends);
      if (!kind.sends) CHECK(connections.front()->ended_by == kind.wait);
    }
  }
}

TEST_CASE("parked connections end when their idle timeout is due", "[connection_table]") {
  for (const int count : {1, 200, 10'000}) {
    CAPTURE(count);
    Fixture fixture;
    std::vector<IOLoop::TimePoint> ends;
    std::vector<IOLoop::TimePoint> begun;
    for (int i = 0; i < count; ++i) {
      fixture.table.park(std::make_unique<FakeParked>(fixture, ends));
      begun.push_back(fixture.now());
      if (i % 10 == 9) fixture.clock.advance(1ms);
    }
    fixture.pass(kTimeouts.idle + kTimeouts.idle / 5);
    REQUIRE(ends.size() == begun.size());
    int wrong = 0;
    for (std::size_t i = 0; i < ends.size(); ++i)
      wrong += !lateness(begun[i], kTimeouts.idle, ends[i]).empty();
    CHECK(wrong == 0);
  }
}

TEST_CASE("a connection that moves to another wait gets the timeout of that wait, from its beginning",
          "[connection_table]") {
  Fixture fixture;
  Fake connection(fixture);
  fixture.pass(100s);
  fixture.table.wait(connection, Wait::head);
  fixture.pass(59s);
  fixture.table.wait(connection, Wait::body);
  fixture.pass(599s);
  fixture.table.wait(connection, Wait::handler);
  fixture.pass(36'000s);
  CHECK_FALSE(connection.ended);
  fixture.table.wait(connection, Wait::request);
  const IOLoop::TimePoint begun = fixture.now();
  fixture.pass(4'000s);
  CHECK(lateness(begun, kTimeouts.idle, connection.ended) == "");
}

TEST_CASE("a request begins the idle timeout anew", "[connection_table]") {
  Fixture fixture;
  Fake connection(fixture);
  for (int i = 0; i < 10; ++i) {
    fixture.pass(3'599s);
    fixture.table.wait_for_request(connection);
  }
  CHECK_FALSE(connection.ended);
  const IOLoop::TimePoint begun = fixture.now();
  fixture.pass(4'000s);
  CHECK(lateness(begun, kTimeouts.idle, connection.ended) == "");
}

TEST_CASE("a client that takes a byte now and then is not timed out before it stops", "[connection_table]") {
  for (const Wait wait : {Wait::request, Wait::handler, Wait::close, Wait::linger}) {
    Fixture fixture;
    Fake connection(fixture);
    connection.unsent = 1000;
    fixture.table.wait(connection, wait);
    for (int i = 0; i < 20; ++i) {
      fixture.pass(50s);
      ++connection.sent;
      --connection.unsent;
    }
    CHECK_FALSE(connection.ended);
    const IOLoop::TimePoint stopped = fixture.now();
    fixture.pass(100s);
    CHECK(lateness(stopped, kTimeouts.write, connection.ended) == "");
    CHECK(connection.write_ended);
  }
}

TEST_CASE("idle and linger timeouts begin when the last byte is sent", "[connection_table]") {
  for (const Wait wait : {Wait::request, Wait::linger}) {
    const nanoseconds timeout = wait == Wait::request ? kTimeouts.idle : kTimeouts.linger;
    Fixture fixture;
    Fake connection(fixture);
    connection.unsent = 1;
    fixture.table.wait(connection, wait);
    fixture.pass(30s);
    connection.unsent = 0;
    const IOLoop::TimePoint sent = fixture.now();
    fixture.pass(timeout + timeout / 5 + 1s);
    CHECK(lateness(sent, timeout, connection.ended) == "");
    CHECK(connection.ended_by == wait);
  }
}

TEST_CASE("a handler that writes nothing for long does not use up the write timeout", "[connection_table]") {
  Fixture fixture;
  Fake connection(fixture);
  fixture.table.wait(connection, Wait::handler);
  fixture.pass(10'000s);
  connection.unsent = 5;
  const IOLoop::TimePoint written = fixture.now();
  fixture.pass(59s);
  CHECK_FALSE(connection.ended);
  fixture.pass(10s);
  CHECK(lateness(written, kTimeouts.write, connection.ended) == "");
}

TEST_CASE("an idle connection settles once, when its bytes are sent", "[connection_table]") {
  Fixture fixture;
  Fake connection(fixture);
  connection.unsent = 1;
  fixture.pass(30s);
  CHECK_FALSE(connection.has_settled);
  connection.unsent = 0;
  fixture.pass(10s);
  CHECK(connection.has_settled);
}

TEST_CASE("short timeouts, and none in practice, are kept as well", "[connection_table]") {
  const ConnectionTable::Timeouts timeouts = {
      .idle = 20ms, .head = 20ms, .body = nanoseconds::max(), .write = 20ms, .linger = 1ms};
  for (const Wait wait : {Wait::request, Wait::head, Wait::linger}) {
    Fixture fixture(timeouts);
    Fake connection(fixture);
    fixture.table.wait(connection, wait);
    const IOLoop::TimePoint begun = fixture.now();
    fixture.pass(100ms);
    CHECK(lateness(begun, wait == Wait::linger ? 1ms : 20ms, connection.ended) == "");
  }
  Fixture fixture(timeouts);
  Fake connection(fixture);
  fixture.table.wait(connection, Wait::body);
  fixture.pass(1h);
  CHECK_FALSE(connection.ended);
}

}  // namespace
}  // namespace squall::http::connection_table_test
