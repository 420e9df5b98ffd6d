#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <functional>
#include <vector>

namespace squall {

class TCPServer;

// Waits for SIGINT or SIGTERM, drains the servers (TCPServer::drain) all at once for at most `limit`, and
// stops their loop. A second signal stops the loop at once.
//
//     loop.spawn(drain_on_signals(server, std::chrono::seconds(10)));
//     loop.spawn(drain_on_signals({website, admin}, std::chrono::seconds(10)));
//     loop.start();
//
// Servers on the loops of several threads: see run_loops().
//
// Thread:    the thread of the loop that receives the process's signals: see IOLoop::signal().
// Lifetime:  borrows the servers until the task ends.
// Errors:    throws std::invalid_argument without a server, and for servers of several loops.
Task<> drain_on_signals(TCPServer& server, TimeSpan limit);
Task<> drain_on_signals(std::vector<std::reference_wrapper<TCPServer>> servers, TimeSpan limit);

}  // namespace squall
