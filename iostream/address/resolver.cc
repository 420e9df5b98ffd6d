#include <squall/iostream/address/resolver.h>

#include <fmt/format.h>
#include <net/if.h>
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
  if (const std::optional<Address> address = Address::parse_ip(host, port)) return address;
  const std::size_t percent = host.find('%');
  if (percent == host.npos || !is_host_name(host)) return std::nullopt;
  const unsigned interface = ::if_nametoindex(host.c_str() + percent + 1);
  if (interface == 0) return std::nullopt;
  return Address::parse_ip(fmt::format("{}%{}", host.substr(0, percent), interface), port);
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
  if (!address && ends_in_number(host))
    throw ResolveError(host, std::error_code(EAI_NONAME, resolver_category()),
                       "a number that is not an IPv4 address");
  if (!address) return std::nullopt;
  if (family != AF_UNSPEC && family != address->family()) throw ResolveError(host, EAI_NONAME);
  return Answer{{*address}, std::nullopt};
}

}  // namespace squall
