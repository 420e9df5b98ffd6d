#pragma once

#include <squall/iostream/address/resolver.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace squall {

// Replaces hosts by other hosts, from a table, before another resolver looks them up. Hosts without an
// entry are looked up unchanged (NET-24).
//
//     OverrideResolver resolver;
//     resolver.map("example.test", "127.0.0.1");              // on all ports
//     resolver.map("example.test", 443, "127.0.0.1", 8443);   // on this port only
//
// The most specific entry applies: of host, port and family, then of host and port, then of the host. Names
// are compared byte by byte. The target of an entry is not looked up in the table again.
//
// Thread:    the thread of the other resolver.
// Lifetime:  borrows the other resolver.
// Errors:    the errors of the other resolver.
class OverrideResolver final : public Resolver {
 public:
  OverrideResolver() : OverrideResolver(default_resolver()) {}
  explicit OverrideResolver(Resolver& inner) noexcept : inner_(inner) {}

  // Adds an entry, or replaces the entry for the same host, port and family.
  void map(std::string host, std::string to);
  void map(std::string host, std::uint16_t port, std::string to, std::uint16_t to_port);
  // Only for lookups with the same family: AF_INET, AF_INET6, or AF_UNSPEC.
  void map(std::string host, std::uint16_t port, int family, std::string to, std::uint16_t to_port);

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

 private:
  struct Target {
    std::string host;
    std::uint16_t port = 0;
  };
  using Place = std::tuple<std::string, std::uint16_t, std::optional<int>>;

  Resolver& inner_;
  std::map<std::string, std::string> hosts_;
  std::map<Place, Target> places_;  // without a family: for all families
};

}  // namespace squall
