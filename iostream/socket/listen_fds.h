#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <string>
#include <vector>

namespace squall {

// A descriptor that the service manager opened for us.
struct InheritedFd {
  OwnedFd fd;
  std::string name;  // FileDescriptorName= of the unit; `unknown` if there is none
};

// What systemd hands over to a service with a .socket unit (sd_listen_fds(3)), in the order of the units:
//
//     TCPServer& server = ...;
//     for (InheritedFd& inherited : listen_fds()) server.add_socket(std::move(inherited.fd));
//
// Empty if LISTEN_PID does not name this process: nothing was handed over, or to somebody else. Else the
// descriptors are closed on exec from now on, and LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are taken out of
// the environment, so that neither a child process nor a second call takes them for its own. They need not
// all be sockets, nor listen: TCPServer::add_sockets() checks that.
//
// Thread:    before there are others: it changes the environment. Before fork_processes(): children have
//            other ids.
// Errors:    std::runtime_error if what the variables say makes no sense, std::system_error, EBADF, if a
//            descriptor is not there. Nothing has changed then.
std::vector<InheritedFd> listen_fds();

}  // namespace squall
