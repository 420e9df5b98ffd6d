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

// The address of a numeric `host`, as Address::parse_ip() reads it, and also with an interface's name as its
// scope: `fe80::1%eth0`. nullopt for any other host, which has to be looked up.
std::optional<Address> numeric_address(const std::string& host, std::uint16_t port);

// Finds the addresses of a host (NET-21).
//
// Thread:    the thread of the loop that awaits it, unless the derived class says otherwise.
// Lifetime:  must outlive its tasks.
// Errors:    ResolveError.
class Resolver {
 public:
  struct Answer {
    std::vector<Address> addresses;           // in the order to try them
    std::optional<std::chrono::seconds> ttl;  // nullopt if the resolver does not know the TTL
  };

  virtual ~Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // At least one address of `host`, a name or a numeric address, each with `port`. AF_INET or AF_INET6 as
  // `family` excludes the other family.
  Task<std::vector<Address>> resolve(std::string host, std::uint16_t port, int family = AF_UNSPEC);
  // The same with the TTL. Derived classes implement this.
  virtual Task<Answer> look_up(std::string host, std::uint16_t port, int family) = 0;

 protected:
  Resolver() = default;
  // The answer for a numeric `host`; nullopt for a name. Throws ResolveError for a malformed host, such as a
  // number that is not an IPv4 address of four decimal numbers (see ends_in_number()), or an unknown family.
  static std::optional<Answer> numeric_answer(const std::string& host, std::uint16_t port, int family);
};

// The resolver of all code that does not name another: a ThreadedResolver that all loops of the process
// share.
//
// Thread:    any.
Resolver& default_resolver();

}  // namespace squall
