#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/poller/poller.h>

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace squall {

// Solaris and illumos: the device /dev/poll. It knows descriptors only by number: a descriptor that was
// closed without being removed is reported ready until it is removed, and so is a new descriptor of the same
// number.
class DevpollPoller final : public Poller {
 public:
  DevpollPoller();
  std::string_view name() const noexcept override { return "devpoll"; }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override;

 private:
  // The device stores no user data with a descriptor.
  struct Entry {
    std::uint32_t generation = 0;
    Events events = Events::none;
  };

  void grow() noexcept;

  OwnedFd device_;
  std::vector<Entry> entries_;  // by descriptor
  std::size_t registered_ = 0;
  std::vector<pollfd> raw_;
  std::vector<Ready> ready_;
};

}  // namespace squall
