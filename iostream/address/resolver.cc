#include <squall/iostream/address/resolver.h>

#include <fmt/format.h>
#include <netdb.h>

#include <memory>
#include <utility>

namespace squall {
namespace {

class ResolverCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "resolver"; }
  std::string message(int value) const override { return ::gai_strerror(value); }
};

std::string failed_to_look_up(const std::string& host, std::string_view detail) {
  const std::string text = fmt::format("cannot look up {}", host.empty() ? "an empty name" : host);
  return detail.empty() ? text : fmt::format("{}: {}", text, detail);
}

// Names from the network can be anything. None that exists is longer: NI_MAXHOST.
bool is_host_name(const std::string& host) {
  return !host.empty() && host.size() < 1025 && host.find('\0') == host.npos;
}

}  // namespace

const std::error_category& resolver_category() noexcept {
  static const ResolverCategory category;
  return category;
}

ResolveError::ResolveError(const std::string& host, std::error_code reason, std::string_view detail)
    : std::system_error(reason, failed_to_look_up(host, detail)), host_(host) {}

bool ResolveError::is_definite() const noexcept {
  if (code().category() != resolver_category()) return false;
  const int reason = code().value();
#ifdef EAI_NODATA
  if (reason == EAI_NODATA) return true;
#endif
#ifdef EAI_ADDRFAMILY
  if (reason == EAI_ADDRFAMILY) return true;
#endif
  return reason == EAI_NONAME;
}

std::optional<Address> numeric_address(const std::string& host, std::uint16_t port) {
  if (!is_host_name(host)) return std::nullopt;
  if (const std::optional<Address> address = Address::parse_ip(host, port)) return address;
  // The system knows interfaces by name, as in fe80::1%eth0, and IPv4's old abbreviations.
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), fmt::to_string(port).c_str(), &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  return Address(found->ai_addr, found->ai_addrlen);
}

Task<std::vector<Address>> Resolver::resolve(std::string host, std::uint16_t port, int family) {
  Answer answer = co_await look_up(host, port, family);
  if (answer.addresses.empty()) throw ResolveError(host, EAI_NONAME);
  co_return std::move(answer.addresses);
}

std::optional<Resolver::Answer> Resolver::answer_unasked(const std::string& host, std::uint16_t port,
                                                         int family) {
  if (!is_host_name(host)) throw ResolveError(host, EAI_NONAME);
  if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6) throw ResolveError(host, EAI_FAMILY);
  const std::optional<Address> address = numeric_address(host, port);
  if (!address) return std::nullopt;
  if (family != AF_UNSPEC && family != address->family()) throw ResolveError(host, EAI_NONAME);
  return Answer{{*address}, std::nullopt};
}

}  // namespace squall
