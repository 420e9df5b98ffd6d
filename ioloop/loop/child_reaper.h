#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/waiter.h>

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace squall {

// How the loop hears that a child has ended: by a descriptor where the kernel has one for it (Linux 5.3),
// else by SIGCHLD, which can belong to one loop of the process at a time (PRC-14).
enum class ChildExit : std::uint8_t { automatic, pidfd, sigchld };

// The children that one loop waits for. It reaps each as soon as it has ended, whether or not anybody is
// still interested, so that none stays a zombie. ChildWatcher is how others use it.
//
// Thread:    the loop's thread only.
// Lifetime:  a part of the loop. Destruction waits, for a second at most, for those that were killed; those
//            that run on are left alone, and no longer reaped.
class ChildReaper {
 public:
  struct Child : std::enable_shared_from_this<Child> {
    Child(ChildReaper& reaper, pid_t pid) noexcept : reaper(reaper), pid(pid) {}

    ChildReaper& reaper;
    const pid_t pid;
    OwnedFd pidfd;  // none for those that SIGCHLD tells of
    std::optional<int> returncode;
    bool killed = false;  // SIGKILL was sent
    std::function<void(int returncode)> callback;
    IOLoop::Ticket ticket = 0;  // once the callback is in the loop's queue
    WaiterList waiting;
  };

  explicit ChildReaper(IOLoop& loop) noexcept : loop_(loop) {}
  ~ChildReaper();
  ChildReaper(const ChildReaper&) = delete;
  ChildReaper& operator=(const ChildReaper&) = delete;

  // Throws std::system_error if the system refuses, std::logic_error if SIGCHLD is needed and belongs to
  // another loop.
  std::shared_ptr<Child> watch(pid_t pid, ChildExit how);
  // Queues the callback if the child has ended.
  void deliver(Child& child);
  IOLoop& loop() const noexcept { return loop_; }

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
