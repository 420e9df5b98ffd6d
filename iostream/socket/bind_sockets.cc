#include <squall/iostream/socket/bind_sockets.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/address_info.h>
#include <squall/iostream/address/resolve_error.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/socket/socket_keeper.h>
#include <squall/iostream/socket/socket_system.h>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>
#include <system_error>

namespace squall {
namespace {

// Some systems resolve `localhost` to a link-local address too, which is left out (NET-06).
bool is_link_local(const Address& address) {
  const std::string_view bytes = address.ip_bytes();
  return address.family() == AF_INET6 && bytes[0] == '\xfe' && (bytes[1] & 0xc0) == 0x80;
}

// The addresses without duplicates (NET-06), IPv4 before IPv6.
std::vector<Address> resolve_passively(const ListenOptions& options) {
  if (ends_in_number(options.address) && !is_valid_ip(options.address))
    throw ResolveError(options.address, std::error_code(EAI_NONAME, resolver_category()),
                       "a number that is not an IPv4 address");
  const char* const host = options.address.empty() ? nullptr : options.address.c_str();
  std::error_code error;
  // getaddrinfo() wants a service; bind_sockets() sets the port.
  const AddressInfo found = get_address_info(host, "0", options.family, AI_PASSIVE, error);
  if (!found) throw ResolveError(options.address, error);
  std::vector<Address> addresses = addresses_in(found);
  if (options.address == "localhost") std::erase_if(addresses, is_link_local);
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const Address& address) { return address.family() == AF_INET; });
  return addresses;
}

// Null if the system does not have the address or its family: the address is skipped.
OwnedFd bind_one(const Address& address, const ListenOptions& options) {
  OwnedFd fd = new_socket(address.family(), SOCK_STREAM);
  if (!fd && errno == EAFNOSUPPORT) return OwnedFd();
  if (!fd) throw_errno("socket");
  detail::set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (options.reuse_port) set_reuse_port(fd.get());
  if (address.family() == AF_INET6) detail::set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
  // Accepted connections inherit the option, which saves a system call for each connection.
  detail::set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  if (options.defer_accept) set_defer_accept(fd.get(), *options.defer_accept);
  if (options.fast_open) set_fast_open(fd.get(), *options.fast_open);
  if (::bind(fd.get(), address.data(), address.size()) != 0) {
    // In a container without IPv6 addresses, `localhost` may still resolve to ::1.
    if (errno == EADDRNOTAVAIL && options.address == "localhost" && address.ip() == "::1") return OwnedFd();
    throw_errno("cannot listen on " + address.to_string());
  }
  if (::listen(fd.get(), options.backlog) != 0) throw_errno("cannot listen on " + address.to_string());
  return fd;
}

}  // namespace

constinit const detail::SocketKeeper* detail::g_socket_keeper = nullptr;

[[gnu::cold]] std::vector<OwnedFd> bind_sockets(std::uint16_t port, const ListenOptions& options) {
  const detail::SocketKeeper* const keeper = detail::g_socket_keeper;
  const std::uint16_t asked = port;
  std::vector<OwnedFd> sockets;
  if (keeper) sockets = keeper->take(asked, options);
  if (!sockets.empty()) return sockets;
  for (const Address& address : resolve_passively(options)) {
    OwnedFd fd = bind_one(address.with_port(port), options);
    if (!fd) continue;
    if (port == 0) port = Address::local_of(fd.get()).port();
    if (port == 0) throw_errno("getsockname");
    sockets.push_back(std::move(fd));
  }
  if (sockets.empty())
    throw std::system_error(EADDRNOTAVAIL, std::generic_category(),
                            fmt::format("cannot listen on port {} of {}", port, options.address));
  if (keeper) keeper->made(asked, options, sockets);
  return sockets;
}

}  // namespace squall
