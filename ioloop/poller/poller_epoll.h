#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/poller/poller.h>

#include <vector>

struct epoll_event;  // <sys/epoll.h> is not everywhere, and every header compiles alone

namespace squall {

// Linux: epoll(7). Refuses regular files and directories with EPERM.
class EpollPoller final : public Poller {
 public:
  EpollPoller();
  ~EpollPoller() override;
  std::string_view name() const noexcept override { return "epoll"; }
  int fd() const noexcept override { return epoll_.get(); }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::chrono::nanoseconds timeout) override;

 private:
  void grow() noexcept;

  OwnedFd epoll_;
  std::vector<epoll_event> raw_;
  std::vector<Ready> ready_;
};

}  // namespace squall
