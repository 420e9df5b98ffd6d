#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace squall {

// How the loop learns that a child process has ended: by a pidfd if the kernel has it (Linux 5.3) or a kqueue
// in its place, otherwise by SIGCHLD, which only one loop of the process can handle (PRC-14).
enum class ChildExit : std::uint8_t { automatic, pidfd, sigchld };

// The child processes that one loop waits for. The loop reaps each child as soon as it has ended, even if its
// ChildWatcher is gone, so that no zombie is left. Programs use ChildWatcher.
//
// Thread:    the loop's thread only.
// Lifetime:  part of the loop. The destructor waits up to a second for children that were killed with
//            SIGKILL; other children keep running and are not reaped.
class ChildReaper {
 public:
  struct Child : std::enable_shared_from_this<Child> {
    Child(ChildReaper& reaper, pid_t pid) noexcept : loop(reaper.loop_), reaper(reaper), pid(pid) {}

    const LoopRef loop;
    ChildReaper& reaper;  // until the end of the loop
    const pid_t pid;
    OwnedFd pidfd;  // empty if SIGCHLD is used
    std::optional<int> returncode;
    bool killed = false;         // SIGKILL was sent
    VoidFunction<int> callback;  // gets the return code
    IOLoop::Ticket ticket = 0;   // the ticket of the callback in the loop's queue; 0 before it is queued
    WaiterList waiting;
  };

  explicit ChildReaper(IOLoop& loop) noexcept : loop_(loop) {}
  ~ChildReaper();
  ChildReaper(const ChildReaper&) = delete;
  ChildReaper& operator=(const ChildReaper&) = delete;

  // Throws std::system_error if the system refuses the call, std::logic_error if SIGCHLD is needed and
  // another loop handles it.
  std::shared_ptr<Child> watch(pid_t pid, ChildExit how);
  // Queues the callback if the child has ended.
  static void deliver(Child& child);

 private:
  void watch_pidfd(Child& child, ChildExit how);
  void watch_sigchld();
  void check(Child& child);
  void check_all();
  void forget(Child& child) noexcept;
  void wait_for_killed() noexcept;

  IOLoop& loop_;
  std::vector<std::shared_ptr<Child>> children_;  // those that have not ended
  bool has_sigchld_ = false;
};

}  // namespace squall
