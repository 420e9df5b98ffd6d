#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/poller/poller.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace squall {

// Linux: epoll(7). Refuses regular files and directories with EPERM.
class EpollPoller final : public Poller {
 public:
  EpollPoller();
  ~EpollPoller() override;
  std::string_view name() const noexcept override { return "epoll"; }
  int fd() const noexcept override { return epoll_.get(); }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override;

 private:
  std::span<const Ready> convert(std::size_t count) noexcept;
  void grow() noexcept;

  OwnedFd epoll_;
  bool full_ = false;     // the last batch was full, so the next batch should be larger
  std::size_t capacity_;  // events that batch_ has room for
  // The kernel writes epoll_events here, and wait() replaces each by a Ready, which is no larger. One buffer
  // instead of two: a turn with one event touches one cache line of it.
  std::unique_ptr<std::byte[]> batch_;
};

}  // namespace squall
