#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/poller/poller.h>

#include <poll.h>

#include <cstdint>
#include <vector>

namespace squall {

// Solaris and illumos: the device /dev/poll. It knows descriptors by their numbers alone, so a descriptor
// closed without being removed is reported ready until it is, and its number's next owner in its place.
class DevpollPoller final : public Poller {
 public:
  DevpollPoller();
  std::string_view name() const noexcept override { return "devpoll"; }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override;

 private:
  // The device carries no data of its user's.
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
