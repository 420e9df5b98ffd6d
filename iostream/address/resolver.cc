#include <squall/iostream/address/resolver.h>

#include <squall/iostream/address/address_info.h>

#include <fmt/format.h>
#include <netdb.h>

#include <utility>

namespace squall {
namespace {

// A name from the network may have any bytes. No host name is longer than NI_MAXHOST.
bool is_host_name(const std::string& host) {
  return !host.empty() && host.size() < 1025 && host.find('\0') == host.npos;
}

}  // namespace

std::optional<Address> numeric_address(const std::string& host, std::uint16_t port) {
  if (!is_host_name(host)) return std::nullopt;
  if (const std::optional<Address> address = Address::parse_ip(host, port)) return address;
  // The system also knows interfaces by name, as in fe80::1%eth0, and IPv4's old abbreviations.
  std::error_code error;
  const AddressInfo found = get_address_info(host.c_str(), fmt::to_string(port).c_str(), AF_UNSPEC,
                                             AI_NUMERICHOST | AI_NUMERICSERV, error);
  if (!found) return std::nullopt;
  return Address(found->ai_addr, found->ai_addrlen);
}

Task<std::vector<Address>> Resolver::resolve(std::string host, std::uint16_t port, int family) {
  Answer answer = co_await look_up(host, port, family);
  if (answer.addresses.empty()) throw ResolveError(host, EAI_NONAME);
  co_return std::move(answer.addresses);
}

std::optional<Resolver::Answer> Resolver::numeric_answer(const std::string& host, std::uint16_t port,
                                                         int family) {
  if (!is_host_name(host)) throw ResolveError(host, EAI_NONAME);
  if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6) throw ResolveError(host, EAI_FAMILY);
  const std::optional<Address> address = numeric_address(host, port);
  if (!address) return std::nullopt;
  if (family != AF_UNSPEC && family != address->family()) throw ResolveError(host, EAI_NONAME);
  return Answer{{*address}, std::nullopt};
}

}  // namespace squall
