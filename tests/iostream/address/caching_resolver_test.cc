#include <squall/iostream/address/caching_resolver.h>

#include <squall/testing/virtual_clock.h>

#include <netdb.h>

#include <string>
#include <vector>

#include "support/fake_resolver.h"
#include "support/test_loop.h"

namespace squall::caching_resolver_test {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::FakeResolver;
using testing::Live;
using testing::TestLoop;
using testing::throws;
using testing::VirtualClock;

struct Setup {
  explicit Setup(CachingResolver::Options options = CachingResolver::Options())
      : cache(inner, options, loop) {
    for (const char* name : {"a.test", "b.test", "c.test"})
      inner.answers[name].addresses = {address("127.0.0.1", 80)};
    inner.answers["ttl.test"] = inner.answers["a.test"];
  }
  std::size_t asked() const { return inner.asked.size(); }
  void ask(const std::string& host, std::uint16_t port = 80, int family = AF_UNSPEC) {
    CHECK(loop.run(cache.resolve(host, port, family)).size() == 1);
  }

  VirtualClock clock;
  TestLoop loop{{.time_source = &clock}};
  FakeResolver inner;
  CachingResolver cache;
};

TEST_CASE("an answer is kept for its time, and asked for again after that", "[caching_resolver]") {
  Setup setup;
  setup.ask("a.test");
  setup.clock.advance(59s);
  setup.ask("a.test");
  CHECK(setup.asked() == 1);
  setup.clock.advance(1s);
  setup.ask("a.test");
  CHECK(setup.asked() == 2);
}

TEST_CASE("host, port and family each make a question of their own", "[caching_resolver]") {
  Setup setup;
  for (int round = 0; round < 2; ++round) {
    setup.ask("a.test");
    setup.ask("b.test");
    setup.ask("a.test", 81);
    setup.ask("a.test", 80, AF_INET);
  }
  CHECK(setup.asked() == 4);
  CHECK(setup.cache.size() == 4);
}

Task<std::optional<std::chrono::seconds>> ttl_of(Resolver& resolver) {
  const Resolver::Answer answer = co_await resolver.look_up("ttl.test", 80, AF_UNSPEC);
  co_return answer.ttl;
}

TEST_CASE("the TTL of an answer is kept within bounds, and counts down", "[caching_resolver]") {
  CachingResolver::Options options;
  options.min_ttl = 10s;
  options.max_ttl = 100s;
  struct Row {
    std::chrono::seconds said;
    std::chrono::seconds kept;
  };
  for (const Row& row : {Row{0s, 10s}, Row{50s, 50s}, Row{100'000s, 100s}}) {
    Setup setup(options);
    setup.inner.answers["ttl.test"].ttl = row.said;
    CHECK(setup.loop.run(ttl_of(setup.cache)) == row.kept);
    setup.clock.advance(row.kept - 1s);
    CHECK(setup.loop.run(ttl_of(setup.cache)) == 1s);
    CHECK(setup.asked() == 1);
    setup.clock.advance(1s);
    CHECK(setup.loop.run(ttl_of(setup.cache)) == row.kept);
    CHECK(setup.asked() == 2);
  }
  Setup setup;
  CHECK_FALSE(setup.loop.run(ttl_of(setup.cache)));
  options.min_ttl = 101s;
  CHECK_THROWS_AS(Setup(options), std::invalid_argument);
}

TEST_CASE("that there is no such name is kept for a shorter time; a server's failure is not kept (RFC 2308)",
          "[caching_resolver]") {
  Setup setup;
  const auto fails = [&](const std::string& host) {
    CHECK(setup.loop.run(throws<ResolveError>(setup.cache.resolve(host, 80))));
  };
  setup.inner.errors["again.test"] = EAI_AGAIN;
  setup.inner.answers["empty.test"] = {};
  for (const std::string host : {"nowhere.test", "empty.test"}) {
    setup.inner.asked.clear();
    fails(host);
    setup.clock.advance(4s);
    fails(host);
    CHECK(setup.asked() == 1);
    setup.clock.advance(1s);
    fails(host);
    CHECK(setup.asked() == 2);
  }
  setup.inner.asked.clear();
  fails("again.test");
  fails("again.test");
  CHECK(setup.asked() == 2);
}

TEST_CASE("without negative_ttl, negative answers are not kept", "[caching_resolver]") {
  CachingResolver::Options options;
  options.negative_ttl = std::nullopt;
  Setup setup(options);
  for (int i = 0; i < 2; ++i)
    CHECK(setup.loop.run(throws<ResolveError>(setup.cache.resolve("nowhere.test", 80))));
  CHECK(setup.asked() == 2);
  CHECK(setup.cache.size() == 0);
}

TEST_CASE("beyond max_entries the least recently used answer is dropped", "[caching_resolver]") {
  CachingResolver::Options options;
  options.max_entries = 2;
  Setup setup(options);
  setup.ask("a.test");
  setup.ask("b.test");
  setup.ask("a.test");
  setup.ask("c.test");
  CHECK(setup.cache.size() == 2);
  CHECK(setup.asked() == 3);
  setup.ask("a.test");
  setup.ask("c.test");
  CHECK(setup.asked() == 3);
  setup.ask("b.test");
  CHECK(setup.asked() == 4);
  CHECK(setup.cache.size() == 2);
}

TEST_CASE("a cache that keeps nothing still works", "[caching_resolver]") {
  CachingResolver::Options options;
  options.max_entries = 0;
  Setup setup(options);
  setup.ask("a.test");
  setup.ask("a.test");
  CHECK(setup.asked() == 2);
  CHECK(setup.cache.size() == 0);
}

Task<> note_answer(Resolver& resolver, std::string host, int& answered, Live = {}) {
  const std::vector<Address> addresses = co_await resolver.resolve(host, 80);
  ++answered;
}

TEST_CASE("concurrent lookups of one name share one query", "[caching_resolver]") {
  Setup setup;
  setup.inner.open.clear();
  int answered = 0;
  for (int i = 0; i < 10; ++i) setup.loop.spawn(note_answer(setup.cache, "a.test", answered));
  setup.loop.spawn(note_answer(setup.cache, "b.test", answered));
  setup.loop.run_turn();
  CHECK(setup.asked() == 2);
  CHECK(answered == 0);
  setup.inner.open.set();
  setup.loop.run_until([&] { return answered == 11; });
  setup.ask("a.test");
  CHECK(setup.asked() == 2);
}

TEST_CASE("they share its failure too", "[caching_resolver]") {
  Setup setup;
  setup.inner.open.clear();
  setup.inner.errors["again.test"] = EAI_AGAIN;
  int failed = 0;
  const auto note_failure = [](Resolver& resolver, int& count) -> Task<> {
    try {
      const std::vector<Address> addresses = co_await resolver.resolve("again.test", 80);
    } catch (const ResolveError& error) {
      count += error.code().value() == EAI_AGAIN ? 1 : 0;
    }
  };
  for (int i = 0; i < 3; ++i) setup.loop.spawn(note_failure(setup.cache, failed));
  setup.inner.open.set();
  setup.loop.run_until([&] { return failed == 3; });
  CHECK(setup.asked() == 1);
}

TEST_CASE("a waiter that leaves takes nothing from the others, and when all have left the answer is kept",
          "[caching_resolver]") {
  Setup setup;
  setup.inner.open.clear();
  int left = 0;
  int stayed = 0;
  {
    TaskGroup first(setup.loop);
    first.add(note_answer(setup.cache, "a.test", left));  // the task that starts the query
    setup.loop.spawn(note_answer(setup.cache, "a.test", stayed));
    TaskGroup both(setup.loop);
    for (int i = 0; i < 2; ++i) both.add(note_answer(setup.cache, "b.test", left));
    CHECK(Live::count == 6);
  }
  CHECK(Live::count == 3);  // one waiting task, and two lookups
  setup.inner.open.set();
  setup.loop.run_until([&] { return stayed == 1; });
  CHECK(left == 0);
  setup.ask("b.test");
  CHECK(setup.asked() == 2);
}

TEST_CASE("clear() drops answers, and lookups under way still end", "[caching_resolver]") {
  Setup setup;
  setup.ask("b.test");
  setup.inner.open.clear();
  int answered = 0;
  setup.loop.spawn(note_answer(setup.cache, "a.test", answered));
  setup.cache.clear();
  CHECK(setup.cache.size() == 0);
  setup.loop.spawn(note_answer(setup.cache, "a.test", answered));
  CHECK(setup.asked() == 3);
  setup.inner.open.set();
  setup.loop.run_until([&] { return answered == 2; });
  CHECK(setup.cache.size() == 1);
  setup.ask("b.test");
  CHECK(setup.asked() == 4);
}

TEST_CASE("numeric addresses need no place in the cache", "[caching_resolver]") {
  Setup setup;
  setup.inner.answers["127.0.0.1"].addresses = {address("127.0.0.1", 80)};
  setup.ask("127.0.0.1");
  setup.ask("127.0.0.1");
  CHECK(setup.cache.size() == 0);
}

TEST_CASE("destroying the cache cancels its lookups", "[caching_resolver]") {
  TestLoop loop;
  FakeResolver inner;
  inner.open.clear();
  {
    CachingResolver cache(inner, loop);
    int answered = 0;
    TaskGroup group(loop);
    group.add(note_answer(cache, "a.test", answered));
    CHECK(Live::count == 2);
  }
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::caching_resolver_test
