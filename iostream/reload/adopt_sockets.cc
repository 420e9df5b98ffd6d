#include <squall/iostream/reload/adopt_sockets.h>

#include <squall/iostream/reload/socket_registry.h>

#include <utility>

namespace squall {

void adopt_sockets() { adopt_sockets(listen_fds()); }
void adopt_sockets(std::vector<InheritedFd> sockets) {
  detail::SocketRegistry::get().adopt(std::move(sockets));
}

}  // namespace squall
