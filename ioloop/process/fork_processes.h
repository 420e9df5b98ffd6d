#pragma once

#include <optional>

namespace squall {

struct ForkOptions {
  int max_restarts = 100;  // sum over all children (PRC-05)
};

// Makes this process the parent of `count` children, and returns in each child its task id, from 0 to
// count - 1; nullopt makes one for each processor: cpu_count(). The parent does not return; it restarts,
// with the same id, a child that a signal kills or that exits with another status than 0 (PRC-02 to
// PRC-07):
//
//     const std::vector<OwnedFd> sockets = bind_sockets(8888);   // shared by all
//     const int id = fork_processes(4);
//     IOLoop loop;                                               // one in each child
//
// A child inherits descriptors, memory, the signal mask and the signal handlers. std::rand(), random() and
// drand48() are seeded again in each child (PRC-03); engines of <random> that were seeded before produce the
// same numbers in every child, so seed them afterwards.
//
// The parent:
//   - calls std::exit(0) when all children have exited with status 0 (PRC-06): handlers of std::atexit() and
//     destructors of static objects run;
//   - passes SIGTERM and SIGINT on to the children, unless they were ignored. It then restarts no child,
//     and waits for all. Unless every child exits with status 0, it ends by the same signal. An interrupt
//     from the terminal is not passed on, because the terminal sends it to the children too;
//   - throws std::runtime_error after more than max_restarts restarts, and std::system_error if it cannot
//     fork. Before that it ends the other children: SIGTERM, and SIGKILL after five seconds.
//
// Throws std::invalid_argument if `count` is not positive; std::logic_error in a child of
// fork_processes(), and while the process has an IOLoop or a thread of a ThreadPool, which do not survive a
// fork (IOL-06). No other thread may run, because a lock that it holds would never be released in the child.
int fork_processes(std::optional<int> count, ForkOptions options = {});

// The id of this process among the children of fork_processes(); nullopt in any other process.
std::optional<int> task_id() noexcept;

}  // namespace squall
