#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/resolver.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace squall {

// Asks name servers through the c-ares library, on the loop and without threads (NET-23). Reads the hosts
// file first, and sorts addresses by RFC 6724. Works only where Squall was built with c-ares: see
// is_built_in().
//
// Result:    addresses, with the shortest TTL of their records.
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Destruction ends all lookups with a ResolveError. A lookup whose task was
//            dropped continues until a server answers or its tries are used up.
// Errors:    ResolveError with the text of c-ares, and the closest reason of getaddrinfo().
class CaresResolver final : public Resolver {
 public:
  struct Options {
    // Name servers: `192.0.2.1,192.0.2.2:5353,[2001:db8::1]:53`; empty for the system's.
    std::string servers{};
    // The time limit of the first try at each server, from 1 ms to 24 h, and the number of tries. The limit
    // at most doubles with each further try. The defaults are the defaults of c-ares: 5 s and 4 tries in
    // version 1.18.
    std::optional<TimeSpan> timeout{};
    std::optional<int> tries{};
  };

  // Whether Squall was built with c-ares. Otherwise the constructors throw std::runtime_error.
  static bool is_built_in() noexcept;

  explicit CaresResolver(IOLoop& loop = IOLoop::current()) : CaresResolver(Options(), loop) {}
  // Throws std::invalid_argument for malformed `servers`, std::runtime_error with c-ares's reason.
  explicit CaresResolver(const Options& options, IOLoop& loop = IOLoop::current());
  ~CaresResolver() override;

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace squall
