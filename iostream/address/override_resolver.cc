#include <squall/iostream/address/override_resolver.h>

#include <utility>

namespace squall {

void OverrideResolver::map(std::string host, std::string to) {
  hosts_.insert_or_assign(std::move(host), std::move(to));
}
void OverrideResolver::map(std::string host, std::uint16_t port, std::string to, std::uint16_t to_port) {
  places_.insert_or_assign(Place(std::move(host), port, std::nullopt), Target{std::move(to), to_port});
}
void OverrideResolver::map(std::string host, std::uint16_t port, int family, std::string to,
                           std::uint16_t to_port) {
  places_.insert_or_assign(Place(std::move(host), port, family), Target{std::move(to), to_port});
}

Task<Resolver::Answer> OverrideResolver::look_up(std::string host, std::uint16_t port, int family) {
  auto place = places_.find(Place(host, port, family));
  if (place == places_.end()) place = places_.find(Place(host, port, std::nullopt));
  if (place != places_.end()) return inner_.look_up(place->second.host, place->second.port, family);
  const auto other = hosts_.find(host);
  return inner_.look_up(other == hosts_.end() ? std::move(host) : other->second, port, family);
}

}  // namespace squall
