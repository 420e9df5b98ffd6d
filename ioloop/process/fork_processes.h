#pragma once

#include <optional>

namespace squall {

struct ForkOptions {
  int max_restarts = 100;  // of all children together (PRC-05)
};

// Turns this process into the parent of `count` children, and returns in each child its task id, from 0 to
// count - 1; nullopt makes one for each processor: cpu_count(). The parent does not return; it restarts, with
// the same id, children that are killed by a signal or exit with another status than 0 (PRC-02 to PRC-07):
//
//     const std::vector<OwnedFd> sockets = bind_sockets(8888);   // shared by all
//     const int id = fork_processes(4);
//     IOLoop loop;                                               // each child's own
//
// What a child inherits: descriptors, memory, and the signal mask and handlers of this moment. The generators
// behind std::rand(), random() and drand48() are seeded anew by the system (PRC-03); engines of <random> that
// were seeded before are the same in every child, so seed them afterwards.
//
// The parent:
//   - exits the process with status 0 when all children have exited with status 0 (PRC-06). It returns from
//     no function, but runs the handlers of std::atexit() and the destructors of static objects;
//   - passes SIGTERM and SIGINT, unless they were ignored, on to the children, restarts none from then on,
//     and waits for all. If not every one exits with status 0 it dies by the same signal. An interrupt typed
//     at the terminal is not passed on, as it reaches the children by itself;
//   - throws std::runtime_error when there were more than max_restarts restarts, and std::system_error if it
//     cannot fork. The other children have ended by then: SIGTERM, and SIGKILL after five seconds.
//
// Throws std::invalid_argument if `count` is not positive; std::logic_error, before it does anything, in a
// child that was made so, and while there is an IOLoop or a thread of a ThreadPool in the process: neither
// survives a fork (IOL-06). No other thread must run, as a lock that it holds would never be released in the
// child.
int fork_processes(std::optional<int> count, ForkOptions options = {});

// This process's id among the children of fork_processes(); none if it is not one of them.
std::optional<int> task_id() noexcept;

}  // namespace squall
