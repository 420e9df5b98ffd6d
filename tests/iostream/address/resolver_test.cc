#include <squall/iostream/address/resolver.h>

#include <squall/ioloop/process/thread_pool.h>
#include <squall/iostream/address/override_resolver.h>
#include <squall/iostream/address/system_resolver.h>
#include <squall/iostream/socket/bind_sockets.h>

#include <net/if.h>
#include <netdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
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

// The error number of getaddrinfo(); 0 for an answer.
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

// Stores its jobs; the test runs them.
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

TEST_CASE("a ResolveError names the host and the reason, and is_definite() tells whether to ask again",
          "[resolver]") {
  const ResolveError none("nowhere.test", EAI_NONAME);
  CHECK(none.what() == std::string("cannot look up nowhere.test: ") + ::gai_strerror(EAI_NONAME));
  CHECK(none.is_definite());
  const ResolveError later("slow.test", std::error_code(EAI_AGAIN, resolver_category()), "no answer");
  CHECK(later.what() == std::string("cannot look up slow.test: no answer: ") + ::gai_strerror(EAI_AGAIN));
  CHECK_FALSE(later.is_definite());
  CHECK_FALSE(ResolveError("x", std::make_error_code(std::errc::too_many_files_open)).is_definite());
  CHECK(std::string(ResolveError("", EAI_NONAME).what()).starts_with("cannot look up an empty name: "));
}

TEST_CASE("a number that is not an IPv4 address is refused without a lookup, as in a URL", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver threaded(executor);
  BlockingResolver blocking;
  for (const char* const host :
       {"010.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.01", "1.2.3.4.", "a.1"}) {
    CAPTURE(host);
    CHECK_FALSE(numeric_address(host, 80));
    for (Resolver* resolver : {static_cast<Resolver*>(&threaded), static_cast<Resolver*>(&blocking)})
      CHECK(failure(loop, *resolver, host) == EAI_NONAME);
    ListenOptions options;
    options.address = host;
    CHECK_THROWS_AS(bind_sockets(0, options), ResolveError);
  }
  CHECK(executor->jobs.empty());
  CHECK(numeric_address("10.0.0.1", 80)->to_string() == "10.0.0.1:80");
}

TEST_CASE("a scope may be an interface's name", "[resolver]") {
  const unsigned first = 1;  // the loopback interface
  char name[IF_NAMESIZE];
  REQUIRE(::if_indextoname(first, name));
  CHECK(numeric_address(std::string("fe80::1%") + name, 80)->to_string() == "[fe80::1%1]:80");
  CHECK(numeric_address("fe80::1%1", 80)->to_string() == "[fe80::1%1]:80");
  for (const char* const host : {"fe80::1%no-such-one", "fe80::1%", "127.0.0.1%lo", "a%lo", "%lo"})
    CHECK_FALSE(numeric_address(host, 80));
}

TEST_CASE("a NUL does not cut the text of a ResolveError", "[resolver]") {
  const ResolveError error(std::string("a\0b", 3), EAI_NONAME);
  CHECK(error.what() == std::string("cannot look up a\\x00b: ") + ::gai_strerror(EAI_NONAME));
}

// ---- Names that need no lookup.

TEST_CASE("localhost and its subdomains need no thread (RFC 6761, 6.3)", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver resolver(executor);
  for (const char* const host : {"localhost", "LocalHost.", "a.localhost", "a.b.localhost."}) {
    CAPTURE(host);
    CHECK(resolved(loop, resolver, host, 80, AF_INET) == "127.0.0.1:80");
    CHECK(resolved(loop, resolver, host, 80, AF_INET6) == "[::1]:80");
    CHECK_FALSE(resolved(loop, resolver, host, 80).empty());
  }
  CHECK(executor->jobs.empty());
}

// ---- Lookups on threads.

std::vector<Address> answer_of(const std::string&, int) { return {*Address::parse_ip("192.0.2.1")}; }

// A lookup that waits, as a name server that does not answer.
struct SlowLookup {
  std::vector<Address> operator()(const std::string& host, int) {
    ++begun;
    if (host == "slow.test") {
      waits.count_down();
      release.wait();
      if (fails) throw ResolveError(host, EAI_AGAIN);
    }
    return {*Address::parse_ip("192.0.2.1")};
  }
  bool fails = false;
  std::atomic<int> begun = 0;
  std::latch waits{1};
  std::latch release{1};
};

Task<> note_outcome(Resolver& resolver, std::string host, std::uint16_t port,
                    std::vector<std::string>& outcomes) {
  try {
    const std::vector<Address> addresses = co_await resolver.resolve(host, port);
    outcomes.push_back(listed(addresses));
  } catch (const ResolveError& error) {
    outcomes.push_back(error.what());
  }
}

TEST_CASE("a name without an answer holds one thread, and delays no other name", "[resolver][threads]") {
  TestLoop loop;
  ThreadPool::Options options;
  options.max_threads = 2;
  const auto pool = std::make_shared<ThreadPool>(options);
  SlowLookup slow;
  ThreadedResolver resolver(pool, std::ref(slow));
  std::vector<std::string> outcomes;
  TaskGroup group(loop);
  for (std::uint16_t port = 1; port <= 12; ++port)
    group.add(note_outcome(resolver, "slow.test", port, outcomes));
  slow.waits.wait();
  CHECK(resolved(loop, resolver, "other.test", 80) == "192.0.2.1:80");
  CHECK(resolved(loop, resolver, "localhost", 80, AF_INET) == "127.0.0.1:80");
  CHECK(outcomes.empty());
  CHECK(slow.begun == 2);
  // All lookups of the name share its outcome, each with its own port.
  std::vector<std::string> expected;
  SECTION("an answer") {
    for (int port = 1; port <= 12; ++port) expected.push_back("192.0.2.1:" + std::to_string(port));
  }
  SECTION("an error") {
    slow.fails = true;
    expected.assign(12, ResolveError("slow.test", EAI_AGAIN).what());
  }
  slow.release.count_down();
  loop.run_until([&] { return group.empty(); });
  CHECK(outcomes == expected);
  CHECK(slow.begun == 2);
  // A later lookup asks again.
  slow.fails = false;
  CHECK(resolved(loop, resolver, "slow.test", 80) == "192.0.2.1:80");
  CHECK(slow.begun == 3);
}

TEST_CASE("loops on several threads share a lookup", "[resolver][threads]") {
  const auto pool = std::make_shared<ThreadPool>();
  SlowLookup slow;
  ThreadedResolver resolver(pool, std::ref(slow));
  std::atomic<int> found = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      IOLoop loop;
      found += loop.run_sync(resolver.resolve("slow.test", 80)).size() == 1 ? 1 : 0;
    });
  }
  slow.waits.wait();
  slow.release.count_down();
  for (std::thread& thread : threads) thread.join();
  CHECK(found == 4);
}

TEST_CASE("the errors of a lookup function become ResolveErrors", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<DummyExecutor>();
  const auto error_of = [&loop](Resolver& resolver) -> std::string {
    try {
      loop.run(resolver.resolve("a.test", 80));
    } catch (const ResolveError& error) {
      return error.what();
    }
    return "none";
  };
  ThreadedResolver throws(executor, [](const std::string&, int) -> std::vector<Address> {
    throw std::runtime_error("the directory is closed");
  });
  CHECK(error_of(throws) ==
        std::string("cannot look up a.test: the directory is closed: ") + ::gai_strerror(EAI_FAIL));
  ThreadedResolver none(executor, [](const std::string&, int) { return std::vector<Address>(); });
  CHECK(error_of(none) == std::string("cannot look up a.test: ") + ::gai_strerror(EAI_NONAME));
  CHECK_THROWS_AS(ThreadedResolver(executor, nullptr), std::invalid_argument);
}

TEST_CASE("if the executor refuses a lookup, other lookups of the name are not stuck", "[resolver]") {
  // Refuses the first job, while another lookup of the name is submitted.
  class RefusingExecutor final : public Executor {
   public:
    void submit(Callback job) override {
      if (!std::exchange(refuses, false)) return job();
      meanwhile();
      throw ExecutorFullError("full");
    }
    bool refuses = true;
    std::function<void()> meanwhile;
  };
  TestLoop loop;
  const auto executor = std::make_shared<RefusingExecutor>();
  ThreadedResolver resolver(executor, answer_of);
  std::vector<std::string> outcomes;
  TaskGroup group(loop);
  executor->meanwhile = [&] { group.add(note_outcome(resolver, "a.test", 80, outcomes)); };
  CHECK(failure(loop, resolver, "a.test") == EAI_AGAIN);
  loop.run_until([&] { return group.empty(); });
  CHECK(outcomes == std::vector<std::string>{ResolveError("a.test", EAI_AGAIN).what()});
  CHECK(resolved(loop, resolver, "a.test") == "192.0.2.1:80");
}

TEST_CASE("the default resolver finds localhost as the system does (NET-22)", "[resolver][threads]") {
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

TEST_CASE("the loop runs while a lookup waits for its thread", "[resolver]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver resolver(executor, answer_of);
  std::string answer;
  loop.spawn(note_answer(resolver, "a.test", answer));
  for (int turn = 0; turn < 10; ++turn) loop.run_turn();
  CHECK(answer.empty());
  REQUIRE(executor->jobs.size() == 1);
  executor->jobs[0]();
  loop.run_until([&] { return !answer.empty(); });
}

TEST_CASE("a waiter may be destroyed before, during and after its lookup", "[resolver][threads]") {
  TestLoop loop;
  const auto executor = std::make_shared<LaterExecutor>();
  ThreadedResolver resolver(executor, answer_of);
  std::string answer;
  {
    TaskGroup group(loop);
    for (const char* const host : {"a.test", "b.test", "c.test"})
      group.add(note_answer(resolver, host, answer));
    REQUIRE(executor->jobs.size() == 3);
    // The answer of the first is sent, the second runs, the third has not begun.
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

TEST_CASE("more lookups than the executor holds fail with EAI_AGAIN", "[resolver][threads]") {
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
  ThreadedResolver resolver(pool, answer_of);
  std::string answer;
  loop.spawn(note_answer(resolver, "a.test", answer));
  CHECK(failure(loop, resolver, "b.test") == EAI_AGAIN);
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

TEST_CASE("a forked child makes its own threads (NET-23)", "[resolver]") {
  // getaddrinfo() refuses a label of more than 63 bytes before it asks a name server.
  const std::string host(64, 'a');
  {
    TestLoop loop;
    CHECK(failure(loop, default_resolver(), host) != 0);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    IOLoop loop;
    try {
      loop.run_sync(default_resolver().resolve(host, 80), std::chrono::seconds(10));
      ::_exit(1);
    } catch (const ResolveError&) {
      ::_exit(0);
    } catch (const std::exception&) {
      ::_exit(2);
    }
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("an answer without an address is an error", "[resolver]") {
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
