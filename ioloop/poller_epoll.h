#pragma once

#include <squall/ioloop/owned_fd.h>
#include <squall/ioloop/poller.h>

#include <sys/epoll.h>

#include <vector>

namespace squall {

// Linux: epoll(7).
class EpollPoller final : public Poller {
 public:
  EpollPoller();
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
