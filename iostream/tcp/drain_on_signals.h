#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

namespace squall {

class TCPServer;

// Waits for SIGINT or SIGTERM, drains the server (TCPServer::drain) for at most `limit`, and stops its loop.
// A second signal stops the loop at once.
//
//     loop.spawn(drain_on_signals(server, std::chrono::seconds(10)));
//     loop.start();
//
// Thread:    the thread of the loop that receives the process's signals: see IOLoop::signal().
// Lifetime:  borrows the server until the task ends.
Task<> drain_on_signals(TCPServer& server, TimeSpan limit);

}  // namespace squall
