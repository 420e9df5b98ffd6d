#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/resolver.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace squall {

// Asks the name servers itself, by the c-ares library, on the loop and without threads (NET-23). The hosts
// file comes first, and addresses come in the order of RFC 6724. There only where Squall was built with
// c-ares.
//
// Answers have a TTL: that of the record that lasts shortest.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Destruction ends all lookups: who waits gets a ResolveError.
// Errors:    ResolveError, with getaddrinfo()'s reason for what c-ares says, and its words. A lookup whose
//            waiter has left goes on until it is answered, or its tries are used up.
class CaresResolver final : public Resolver {
 public:
  struct Options {
    // Name servers, as `192.0.2.1,192.0.2.2:5353,[2001:db8::1]:53`; empty for those of the system.
    std::string servers;
    // For the first try at each server, with later ones up to twice as long as those before; and the tries.
    // None stands for c-ares's own values: 5 s and 4 tries as of 1.18.
    std::optional<std::chrono::nanoseconds> timeout;
    std::optional<int> tries;
  };

  // Whether there is one. If not, constructors throw std::runtime_error.
  static bool is_built_in() noexcept;

  explicit CaresResolver(IOLoop& loop = IOLoop::current()) : CaresResolver(Options(), loop) {}
  // Throws std::invalid_argument for servers that cannot be read, std::runtime_error with c-ares's reason.
  explicit CaresResolver(const Options& options, IOLoop& loop = IOLoop::current());
  ~CaresResolver() override;

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace squall
