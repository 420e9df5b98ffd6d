#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <string>
#include <vector>

namespace squall {

// The number of the first descriptor of LISTEN_FDS (SD_LISTEN_FDS_START).
inline constexpr int kFirstListenFd = 3;

// A descriptor that the service manager has opened for this process.
struct InheritedFd {
  OwnedFd fd;
  std::string name;  // FileDescriptorName= of the unit, otherwise `unknown`
};

// The descriptors that systemd hands over to a service with a .socket unit (sd_listen_fds(3)), in the order
// of the units:
//
//     TCPServer& server = ...;
//     for (InheritedFd& inherited : listen_fds()) server.add_socket(std::move(inherited.fd));
//
// Result:    empty if LISTEN_PID does not name this process. Otherwise the descriptors become close-on-exec,
//            and LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are removed from the environment, so that neither
//            a child process nor a second call uses them. TCPServer::add_sockets() checks that a descriptor
//            is a socket and listens.
// Thread:    before other threads start, because it changes the environment; before fork_processes(), because
//            children have other process ids.
// Errors:    std::runtime_error for malformed variables, std::system_error, EBADF, if a descriptor is not
//            open. Nothing has changed then.
std::vector<InheritedFd> listen_fds();

}  // namespace squall
