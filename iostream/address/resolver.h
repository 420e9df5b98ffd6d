#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/resolve_error.h>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace squall {

// The address that `host` spells in numbers; none if it does not, and has to be looked up.
std::optional<Address> numeric_address(const std::string& host, std::uint16_t port);

// Finds the addresses of a host (NET-21).
//
// Thread:    that of the loop that awaits it, unless it says otherwise.
// Lifetime:  outlives the tasks it has returned.
// Errors:    ResolveError.
class Resolver {
 public:
  struct Answer {
    std::vector<Address> addresses;           // in the order to try them
    std::optional<std::chrono::seconds> ttl;  // for how long they hold, where that is known
  };

  virtual ~Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // At least one address of `host`, which may be numeric, with `port` in each; of `family` alone if that is
  // AF_INET or AF_INET6.
  Task<std::vector<Address>> resolve(std::string host, std::uint16_t port, int family = AF_UNSPEC);
  // The same for who keeps answers. What a resolver does.
  virtual Task<Answer> look_up(std::string host, std::uint16_t port, int family) = 0;

 protected:
  Resolver() = default;
  // What needs no asking: numeric addresses. Throws ResolveError for what is no host name, or a family there
  // is none of.
  static std::optional<Answer> numeric_answer(const std::string& host, std::uint16_t port, int family);
};

// The one that is used where no other was asked for: a ThreadedResolver, for all loops of the process.
//
// Thread:    any.
Resolver& default_resolver();

}  // namespace squall
