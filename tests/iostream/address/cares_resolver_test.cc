#include <squall/iostream/address/cares_resolver.h>

#include <squall/iostream/address/caching_resolver.h>
#include <squall/iostream/tcp/tcp_client.h>

#include <netdb.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/dns_server.h"
#include "support/listeners.h"
#include "support/test_loop.h"

namespace squall::cares_resolver_test {
namespace {

using namespace std::chrono_literals;
using testing::count_descriptors;
using testing::DnsServer;
using testing::Live;
using testing::TestLoop;

// A resolver that asks a name server of the test.
struct Setup {
  explicit Setup(std::chrono::milliseconds timeout = 5s) {
    CaresResolver::Options options;
    options.servers = server.address();
    options.timeout = timeout;
    options.tries = 2;
    resolver.emplace(options, loop);
  }
  // In no particular order.
  std::vector<std::string> resolved(const std::string& host, int family = AF_UNSPEC) {
    std::vector<std::string> texts;
    for (const Address& address : loop.run(resolver->resolve(host, 80, family)))
      texts.push_back(address.to_string());
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  std::string failure(const std::string& host, int reason) {
    try {
      loop.run(resolver->resolve(host, 80));
    } catch (const ResolveError& error) {
      CHECK(error.code() == std::error_code(reason, resolver_category()));
      CHECK(error.host() == host);
      return error.what();
    }
    return "it was found";
  }

  TestLoop loop;
  DnsServer server{loop};
  std::optional<CaresResolver> resolver;
};

using Texts = std::vector<std::string>;

TEST_CASE("c-ares finds the addresses of both families, or of one (NET-23)", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  setup.server.names["server.test"] = {{"127.0.0.1"}, {"127.0.0.2"}, {"::1"}};
  setup.server.names["v4.test"] = {{"127.0.0.3"}};
  CHECK(setup.resolved("server.test") == Texts{"127.0.0.1:80", "127.0.0.2:80", "[::1]:80"});
  CHECK(setup.resolved("server.test", AF_INET) == Texts{"127.0.0.1:80", "127.0.0.2:80"});
  CHECK(setup.resolved("server.test", AF_INET6) == Texts{"[::1]:80"});
  CHECK(setup.resolved("v4.test") == Texts{"127.0.0.3:80"});
}

TEST_CASE("c-ares is not asked for numeric addresses, nor a server for what the hosts file has", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  CHECK(setup.resolved("192.0.2.1") == Texts{"192.0.2.1:80"});
  CHECK_FALSE(setup.resolved("localhost", AF_INET).empty());
  CHECK(setup.server.asked == 0);
}

TEST_CASE("a failed lookup of c-ares is a ResolveError with the reason", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup(50ms);
  setup.server.names["v4.test"] = {{"127.0.0.3"}};
  setup.server.broken.insert("broken.test");
  CHECK(setup.failure("nowhere.test", EAI_NONAME).starts_with("cannot look up nowhere.test: "));
  CHECK(setup.failure("", EAI_NONAME).starts_with("cannot look up an empty name: "));
  setup.failure("broken.test", EAI_AGAIN);
  setup.server.deaf = true;
  const int before = setup.server.asked;
  CHECK(setup.failure("v4.test", EAI_AGAIN).find("Timeout") != std::string::npos);
  CHECK(setup.server.asked > before + 1);  // tried twice
}

Task<> note_answer(Resolver& resolver, std::string host, int& answered, Live = {}) {
  const std::vector<Address> addresses = co_await resolver.resolve(host, 80);
  answered += static_cast<int>(addresses.size());
}

TEST_CASE("c-ares looks up many names at once", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "host" + std::to_string(i) + ".test";
    setup.server.names[name] = {{"127.0.0.1"}};
    setup.loop.spawn(note_answer(*setup.resolver, name, answered));
  }
  setup.loop.run_until([&] { return answered == 100; });
}

TEST_CASE("a waiter that leaves c-ares takes nothing from the others", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  setup.server.names["server.test"] = {{"127.0.0.1"}};
  int left = 0;
  int stayed = 0;
  {
    TaskGroup group(setup.loop);
    group.add(note_answer(*setup.resolver, "server.test", left));
    setup.loop.spawn(note_answer(*setup.resolver, "server.test", stayed));
    CHECK(Live::count == 2);
  }
  CHECK(Live::count == 1);
  setup.loop.run_until([&] { return stayed == 1; });
  CHECK(left == 0);
}

Task<> note_failure(Resolver& resolver, std::string host, bool& failed) {
  try {
    const std::vector<Address> addresses = co_await resolver.resolve(host, 80);
  } catch (const ResolveError&) {
    failed = true;
  }
}

TEST_CASE("a c-ares resolver that goes ends its lookups, and leaves neither sockets nor timers", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  setup.server.deaf = true;
  setup.resolver.reset();
  const int before = count_descriptors();
  CaresResolver::Options options;
  options.servers = setup.server.address();
  bool failed = false;
  {
    CaresResolver resolver(options, setup.loop);
    setup.loop.spawn(note_failure(resolver, "server.test", failed));
    setup.loop.run_until([&] { return setup.server.asked > 0; });
    CHECK(count_descriptors() > before);
    CHECK(setup.loop.next_timeout());
  }
  CHECK(count_descriptors() == before);
  setup.loop.run_until([&] { return failed; });
  CHECK_FALSE(setup.loop.next_timeout());
}

Task<Resolver::Answer> asked(Resolver& resolver, std::string host) {
  Resolver::Answer answer = co_await resolver.look_up(host, 80, AF_INET);
  co_return answer;
}

TEST_CASE("c-ares tells for how long an answer holds: as long as its shortest record", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  setup.server.names["server.test"] = {{"127.0.0.1", 300}, {"127.0.0.2", 30}};
  CHECK(setup.loop.run(asked(*setup.resolver, "server.test")).ttl == 30s);
}

TEST_CASE("a client connects to the addresses of c-ares", "[cares]") {
  if (!CaresResolver::is_built_in()) return;
  Setup setup;
  const testing::Listener listener;
  setup.server.names["server.test"] = {{"127.0.0.1"}};
  ConnectOptions options;
  options.resolver = &*setup.resolver;
  const IOStream stream = setup.loop.run(TCPClient::connect("server.test", listener.port(), options));
  CHECK(listener.accept().fd);
}

TEST_CASE("name servers that cannot be read are the caller's mistake", "[cares]") {
  TestLoop loop;
  CaresResolver::Options options;
  options.servers = "not an address";
  if (CaresResolver::is_built_in()) {
    CHECK_THROWS_AS(CaresResolver(options, loop), std::invalid_argument);
  } else {
    CHECK_THROWS_AS(CaresResolver(options, loop), std::runtime_error);
  }
}

}  // namespace
}  // namespace squall::cares_resolver_test
