#pragma once

#include <squall/ioloop/sync/event.h>
#include <squall/iostream/address/resolver.h>

#include <netdb.h>

#include <map>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/test_loop.h"

namespace squall::testing {

inline Address address(const std::string& ip, std::uint16_t port) {
  const std::optional<Address> parsed = numeric_address(ip, port);
  REQUIRE(parsed);
  return *parsed;
}

// A resolver that answers from a table, at once or when `open` is set.
class FakeResolver final : public Resolver {
 public:
  FakeResolver() { open.set(); }

  std::map<std::string, Answer> answers;
  std::map<std::string, int> errors;  // getaddrinfo()'s
  Event open;                         // cleared: all queries wait
  std::vector<std::string> asked;     // `host:port/family`

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override {
    const Live live;
    asked.push_back(host + ":" + std::to_string(port) + "/" + std::to_string(family));
    co_await open.wait();
    const auto error = errors.find(host);
    if (error != errors.end()) throw ResolveError(host, error->second);
    const auto answer = answers.find(host);
    if (answer == answers.end()) throw ResolveError(host, EAI_NONAME);
    co_return answer->second;
  }
};

}  // namespace squall::testing
