#include <squall/testing/bind_unused_port.h>

#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/bind_sockets.h>

#include <utility>

namespace squall::testing {
namespace {

BoundPort bind(const std::string& address, bool reuse_port) {
  ListenOptions options;
  options.address = address;
  options.reuse_port = reuse_port;
  OwnedFd socket = std::move(bind_sockets(0, options).front());
  const std::uint16_t port = Address::local_of(socket.get()).port();
  return {std::move(socket), port};
}

}  // namespace

BoundPort bind_unused_port(const std::string& address) { return bind(address, false); }
BoundPort bind_reusable_port(const std::string& address) { return bind(address, true); }

}  // namespace squall::testing
