#pragma once

#include <squall/iostream/address/resolver.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace squall {

// Looks up other hosts than it is asked for, as a table says; what is not in the table is looked up as it is
// (NET-24).
//
//     OverrideResolver resolver;
//     resolver.map("example.test", "127.0.0.1");              // on all ports
//     resolver.map("example.test", 443, "127.0.0.1", 8443);   // on this one alone
//
// The most precise entry counts: of host, port and family; of host and port; of the host. Names are compared
// as they are written. What an entry leads to is not looked up in the table again.
//
// Lifetime:  borrows the resolver that does the work.
class OverrideResolver final : public Resolver {
 public:
  OverrideResolver() : OverrideResolver(default_resolver()) {}
  explicit OverrideResolver(Resolver& inner) noexcept : inner_(inner) {}

  // Each replaces an entry for the same.
  void map(std::string host, std::string to);
  void map(std::string host, std::uint16_t port, std::string to, std::uint16_t to_port);
  // Only for who asks for this family, AF_INET or AF_INET6; or, with AF_UNSPEC, for none in particular.
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
  std::map<Place, Target> places_;  // with a family, or for all of them
};

}  // namespace squall
