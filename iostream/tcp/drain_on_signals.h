#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

namespace squall {

class TCPServer;

// Waits for SIGINT or SIGTERM, lets the server finish what it does (TCPServer::drain), within `limit`, and
// stops its loop. A second signal stops it at once.
//
//     loop.spawn(drain_on_signals(server, std::chrono::seconds(10)));
//     loop.start();
//
// Lifetime:  borrows the server.
// Thread:    as IOLoop::signal() says: one loop of a process hears of signals.
Task<> drain_on_signals(TCPServer& server, IOLoop::Duration limit);

}  // namespace squall
