#include <squall/iostream/address/resolver.h>

#include <squall/ioloop/process/thread_pool.h>
#include <squall/iostream/address/override_resolver.h>
#include <squall/iostream/address/system_resolver.h>

#include <netdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_resolver.h"
#include "support/test_loop.h"

namespace squall::resolver_test {
namespace {

using testing::FakeResolver;
using testing::Live;
using testing::TestLoop;

std::string listed(const std::vector<Address>& addresses) {
  std::string text;
  for (const Address& address : addresses) text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

std::string resolved(TestLoop& loop, Resolver& resolver, const std::string& host, std::uint16_t port = 80,
                     int family = AF_UNSPEC) {
  return listed(loop.run(resolver.resolve(host, port, family)));
}

// The reason, as getaddrinfo() numbers it; 0 if there is an answer.
int failure(TestLoop& loop, Resolver& resolver, const std::string& host, int family = AF_UNSPEC) {
  try {
    loop.run(resolver.resolve(host, 80, family));
  } catch (const ResolveError& error) {
    CHECK(error.host() == host);
    CHECK(error.code().category() == resolver_category());
    return error.code().value();
  }
  return 0;
}

// Keeps jobs until it is told to run them.
class LaterExecutor final : public Executor {
 public:
  void submit(Callback job) override { jobs.push_back(std::move(job)); }
  std::vector<Callback> jobs;
};

TEST_CASE("numeric addresses need no thread, and keep their port and family (NET-21)", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver threaded(executor);
  BlockingResolver blocking;
  for (Resolver* resolver : {static_cast<Resolver*>(&threaded), static_cast<Resolver*>(&blocking)}) {
    CHECK(resolved(loop, *resolver, "127.0.0.1", 80) == "127.0.0.1:80");
    CHECK(resolved(loop, *resolver, "::1", 65535, AF_INET6) == "[::1]:65535");
    CHECK(resolved(loop, *resolver, "192.0.2.1", 0, AF_INET) == "192.0.2.1:0");
    CHECK(failure(loop, *resolver, "::1", AF_INET) == EAI_NONAME);
    CHECK(failure(loop, *resolver, "127.0.0.1", AF_INET6) == EAI_NONAME);
  }
  CHECK(executor->jobs.empty());
}

TEST_CASE("a malformed host name is refused without a lookup", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver threaded(executor);
  BlockingResolver blocking;
  for (Resolver* resolver : {static_cast<Resolver*>(&threaded), static_cast<Resolver*>(&blocking)}) {
    for (const std::string& host : {std::string(), std::string("a\0b", 3), std::string(5000, 'a')})
      CHECK(failure(loop, *resolver, host) == EAI_NONAME);
    CHECK(failure(loop, *resolver, "localhost", AF_UNIX) == EAI_FAMILY);
  }
  CHECK(executor->jobs.empty());
}

TEST_CASE("a ResolveError names the host and the reason, and knows whether to ask again", "[resolver]") {
  const ResolveError none("nowhere.test", EAI_NONAME);
  CHECK(none.what() == std::string("cannot look up nowhere.test: ") + ::gai_strerror(EAI_NONAME));
  CHECK(none.is_definite());
  const ResolveError later("slow.test", std::error_code(EAI_AGAIN, resolver_category()), "no answer");
  CHECK(later.what() == std::string("cannot look up slow.test: no answer: ") + ::gai_strerror(EAI_AGAIN));
  CHECK_FALSE(later.is_definite());
  CHECK_FALSE(ResolveError("x", std::make_error_code(std::errc::too_many_files_open)).is_definite());
  CHECK(std::string(ResolveError("", EAI_NONAME).what()).starts_with("cannot look up an empty name: "));
}

TEST_CASE("the default resolver finds localhost on another thread (NET-22)", "[resolver][threads]") {
  TestLoop loop;
  const std::string all = resolved(loop, default_resolver(), "localhost", 8080);
  CHECK((all == "127.0.0.1:8080" || all == "[::1]:8080" || all == "127.0.0.1:8080 [::1]:8080" ||
         all == "[::1]:8080 127.0.0.1:8080"));
  BlockingResolver blocking;
  CHECK(resolved(loop, blocking, "localhost", 8080) == all);
}

Task<> note_answer(Resolver& resolver, std::string host, std::string& answer, Live = {}) {
  const std::vector<Address> addresses = co_await resolver.resolve(host, 80);
  answer = listed(addresses);
}

TEST_CASE("the loop goes on while a lookup waits for its thread", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver resolver(executor);
  std::string answer;
  loop.spawn(note_answer(resolver, "localhost", answer));
  for (int turn = 0; turn < 10; ++turn) loop.run_turn();
  CHECK(answer.empty());
  REQUIRE(executor->jobs.size() == 1);
  executor->jobs[0]();
  loop.run_until([&] { return !answer.empty(); });
}

TEST_CASE("a waiter may leave before, while and after its lookup runs", "[resolver][threads]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver resolver(executor);
  std::string answer;
  {
    TaskGroup group(loop);
    for (int i = 0; i < 3; ++i) group.add(note_answer(resolver, "localhost", answer));
    REQUIRE(executor->jobs.size() == 3);
    // The first has had its answer sent, the second runs, the third has not begun.
    executor->jobs[0]();
  }
  CHECK(Live::count == 0);
  std::thread late([&] {
    executor->jobs[1]();
    executor->jobs[2]();
  });
  late.join();
  loop.run_turn();
  CHECK(answer.empty());
}

TEST_CASE("more lookups than the executor holds are refused for now", "[resolver][threads]") {
  TestLoop loop;
  ThreadPool::Options options;
  options.max_threads = 1;
  options.max_waiting = 1;
  const auto pool = std::make_shared<ThreadPool>(options);
  std::latch begun(1);
  std::latch release(1);
  pool->submit([&] {
    begun.count_down();
    release.wait();
  });
  begun.wait();
  ThreadedResolver resolver(pool);
  std::string answer;
  loop.spawn(note_answer(resolver, "localhost", answer));
  CHECK(failure(loop, resolver, "localhost") == EAI_AGAIN);
  release.count_down();
  loop.run_until([&] { return !answer.empty(); });
}

TEST_CASE("loops on several threads share the default resolver", "[resolver][threads]") {
  std::atomic<int> found = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      IOLoop loop;
      for (int i = 0; i < 20; ++i)
        found += loop.run_sync(default_resolver().resolve("localhost", 80)).empty() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(found == 60);
}

TEST_CASE("a forked child makes threads of its own (NET-23)", "[resolver]") {
  {
    TestLoop loop;
    CHECK_FALSE(resolved(loop, default_resolver(), "localhost").empty());
  }
  const pid_t child = ::fork();
  if (child == 0) {
    IOLoop loop;
    try {
      const auto addresses =
          loop.run_sync(default_resolver().resolve("localhost", 80), std::chrono::seconds(10));
      ::_exit(addresses.empty() ? 1 : 0);
    } catch (const std::exception&) {
      ::_exit(2);
    }
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a resolver that has no address after all is an error", "[resolver]") {
  TestLoop loop;
  FakeResolver fake;
  fake.answers["empty.test"] = {};
  CHECK(failure(loop, fake, "empty.test") == EAI_NONAME);
}

// ---- Overrides.

TEST_CASE("overrides are looked up by host, port and family, then host and port, then host (NET-24)",
          "[resolver]") {
  TestLoop loop;
  FakeResolver fake;
  OverrideResolver resolver(fake);
  resolver.map("a.test", "host.test");
  resolver.map("a.test", 443, "port.test", 8443);
  resolver.map("a.test", 443, AF_INET6, "family.test", 9443);
  resolver.map("a.test", 443, AF_UNSPEC, "any.test", 7443);
  const auto asks = [&](const std::string& host, std::uint16_t port, int family) {
    fake.asked.clear();
    CHECK_THROWS_AS(loop.run(resolver.resolve(host, port, family)), ResolveError);
    REQUIRE(fake.asked.size() == 1);
    return fake.asked[0];
  };
  const std::string any = "/" + std::to_string(AF_UNSPEC);
  const std::string v4 = "/" + std::to_string(AF_INET);
  const std::string v6 = "/" + std::to_string(AF_INET6);
  CHECK(asks("a.test", 443, AF_INET6) == "family.test:9443" + v6);
  CHECK(asks("a.test", 443, AF_UNSPEC) == "any.test:7443" + any);
  CHECK(asks("a.test", 443, AF_INET) == "port.test:8443" + v4);
  CHECK(asks("a.test", 80, AF_INET6) == "host.test:80" + v6);
  CHECK(asks("b.test", 443, AF_INET) == "b.test:443" + v4);
  CHECK(asks("host.test", 80, AF_INET) == "host.test:80" + v4);
  resolver.map("a.test", "b.test");
  CHECK(asks("a.test", 80, AF_INET) == "b.test:80" + v4);
}

TEST_CASE("a numeric address can be overridden, and its replacement may be numeric (NET-24)", "[resolver]") {
  TestLoop loop;
  BlockingResolver blocking;
  OverrideResolver resolver(blocking);
  resolver.map("192.0.2.1", "127.0.0.1");
  resolver.map("name.test", 80, "::1", 8080);
  CHECK(resolved(loop, resolver, "192.0.2.1", 80) == "127.0.0.1:80");
  CHECK(resolved(loop, resolver, "name.test", 80) == "[::1]:8080");
  OverrideResolver over_default;
  over_default.map("name.test", "127.0.0.2");
  CHECK(resolved(loop, over_default, "name.test", 81) == "127.0.0.2:81");
}

}  // namespace
}  // namespace squall::resolver_test
