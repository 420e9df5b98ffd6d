#include <squall/iostream/tcp/tcp_client.h>

#include <squall/ioloop/coro/with_timeout.h>
#include <squall/iostream/socket/connect_socket.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/tcp/happy_eyeballs.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace squall {
namespace {

constexpr IOLoop::Duration kShortestDelay = std::chrono::milliseconds(10);  // RFC 8305, section 5

// The target of a connection and the progress so far. Lives in the frame of limited(), which reports the
// progress after a timeout.
struct Connecting {
  Connecting(std::string host, std::uint16_t port, ConnectOptions options)
      : host(std::move(host)), port(port), options(std::move(options)) {}

  std::string host;
  std::uint16_t port;
  ConnectOptions options;
  enum class Target : std::uint8_t { name, address, unix_socket } target = Target::name;
  Address address;  // for Target::address
  ConnectPhase phase = ConnectPhase::connection;
  ConnectProgress progress;
};

LocalEnd local_end(const ConnectOptions& options) {
  LocalEnd local;
  local.port = options.source_port;
  local.interface = options.source_interface;
  if (!options.source_ip) return local;
  local.address = numeric_address(*options.source_ip, options.source_port.value_or(0));
  if (!local.address)
    throw std::invalid_argument(
        fmt::format("source_ip is not a numeric address: \"{}\"", *options.source_ip));
  return local;
}

// The family that the options allow; AF_UNSPEC for both.
int family_for(const ConnectOptions& options, const LocalEnd& local) {
  const int source = local.address ? local.address->family() : AF_UNSPEC;
  if (options.family != AF_UNSPEC && source != AF_UNSPEC && source != options.family)
    throw std::invalid_argument(fmt::format("source_ip is of another family: {}", *local.address));
  return source != AF_UNSPEC ? source : options.family;
}

Task<std::vector<Address>> find_addresses(Connecting& connecting, int family) {
  connecting.phase = ConnectPhase::resolution;
  Resolver* const own = connecting.options.resolver;
  Resolver& resolver = own ? *own : default_resolver();
  std::vector<Address> addresses = co_await resolver.resolve(connecting.host, connecting.port, family);
  connecting.phase = ConnectPhase::connection;
  co_return interleave_families(addresses);
}

Task<OwnedFd> connect_tcp(Connecting& connecting) {
  const LocalEnd local = local_end(connecting.options);
  const int family = family_for(connecting.options, local);
  std::vector<Address> addresses;
  if (connecting.target == Connecting::Target::address) {
    addresses.push_back(connecting.address);
  } else {
    addresses = co_await find_addresses(connecting, family);
  }
  const IOLoop::Duration delay = std::max<IOLoop::Duration>(connecting.options.attempt_delay, kShortestDelay);
  OwnedFd fd = co_await connect_to_first(std::move(addresses), local, delay, connecting.progress);
  if (!fd) {
    ConnectProgress& progress = connecting.progress;
    throw ConnectError(connecting.host, connecting.port, progress.last_error, std::move(progress.attempts));
  }
  if (connecting.options.nodelay) set_nodelay(fd.get());
  co_return std::move(fd);
}

Task<OwnedFd> connect_unix_target(Connecting& connecting) {
  try {
    OwnedFd fd = co_await connect_unix_socket(connecting.host);
    co_return std::move(fd);
  } catch (const std::system_error& error) {
    throw ConnectError(connecting.host, std::nullopt, error.code());
  }
}

// The steps that the deadline limits.
Task<IOStream> establish(Connecting& connecting) {
  const bool is_unix = connecting.target == Connecting::Target::unix_socket;
  OwnedFd fd;
  if (is_unix) {
    fd = co_await connect_unix_target(connecting);
  } else {
    fd = co_await connect_tcp(connecting);
  }
  IOStream stream(std::move(fd), connecting.options.stream, IOStream::Known::nonblocking);
  const ConnectOptions& options = connecting.options;
  if (options.tls) {
    connecting.phase = ConnectPhase::handshake;
    // A path is not a host name.
    const std::string name = options.server_hostname.value_or(is_unix ? "" : connecting.host);
    co_await stream.start_tls(*options.tls, name);
  }
  co_return std::move(stream);
}

Task<IOStream> limited(Connecting connecting) {
  IOLoop& loop = IOLoop::current();
  const ConnectOptions& options = connecting.options;
  IOLoop::TimePoint deadline = options.deadline.value_or(IOLoop::TimePoint::max());
  if (options.timeout) deadline = std::min(deadline, loop.deadline_after(*options.timeout));
  try {
    IOStream stream = co_await with_timeout(deadline, establish(connecting));
    co_return std::move(stream);
  } catch (const ConnectTimeoutError&) {
    throw;
  } catch (const TimeoutError&) {
    std::optional<std::uint16_t> port;
    if (connecting.target != Connecting::Target::unix_socket) port = connecting.port;
    throw ConnectTimeoutError(connecting.host, port, connecting.phase,
                              std::move(connecting.progress.attempts));
  }
}

}  // namespace

Task<IOStream> TCPClient::connect(std::string host, std::uint16_t port) {
  return connect(std::move(host), port, ConnectOptions());
}
Task<IOStream> TCPClient::connect(std::string host, std::uint16_t port, ConnectOptions options) {
  return limited(Connecting(std::move(host), port, std::move(options)));
}

Task<IOStream> TCPClient::connect(Address address) { return connect(address, ConnectOptions()); }
Task<IOStream> TCPClient::connect(Address address, ConnectOptions options) {
  Connecting connecting(address.ip(), address.port(), std::move(options));
  connecting.target = Connecting::Target::address;
  connecting.address = address;
  return limited(std::move(connecting));
}

Task<IOStream> TCPClient::connect_unix(std::string name) {
  return connect_unix(std::move(name), ConnectOptions());
}
Task<IOStream> TCPClient::connect_unix(std::string name, ConnectOptions options) {
  Connecting connecting(std::move(name), 0, std::move(options));
  connecting.target = Connecting::Target::unix_socket;
  return limited(std::move(connecting));
}

}  // namespace squall
