#pragma once

#include <squall/iostream/socket/listen_fds.h>

#include <vector>

namespace squall {

// Offers listening sockets of a supervisor, such as squall-watch or systemd, to bind_sockets() and
// bind_unix_socket():
//
//     int main() {
//       adopt_sockets();   // of LISTEN_FDS
//       ...
//       app.listen(8888);  // takes the supervisor's sockets of port 8888, if there are any
//
// A call of bind_sockets() for the port of such sockets takes all of them, whatever address it names: the
// supervisor has chosen the addresses. With ListenOptions::reuse_port it takes copies, so that several loops
// can share them. bind_unix_socket() takes the socket of its path. Sockets that no call takes stay open.
//
// A program that uses autoreload and runs under squall-watch needs no call.
//
// Thread:    as listen_fds().
// Errors:    as listen_fds().
void adopt_sockets();
void adopt_sockets(std::vector<InheritedFd> sockets);

}  // namespace squall
