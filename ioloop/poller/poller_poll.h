#pragma once

#include <squall/ioloop/poller/poller.h>

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace squall {

// Every system: poll(2). A wait costs time in proportion to the number of registered descriptors. A
// descriptor that was closed without being removed is reported ready until it is removed.
class PollPoller final : public Poller {
 public:
  PollPoller();
  std::string_view name() const noexcept override { return "poll"; }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override;

 private:
  static constexpr std::uint32_t kAbsent = 0xffff'ffff;

  void add(int fd, std::uint32_t generation, Events events);
  void remove(std::uint32_t place) noexcept;
  void grow() noexcept;

  // The argument of poll(2), without gaps, and the generation of each entry.
  std::vector<pollfd> polled_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> places_;  // by descriptor: its index in polled_
  std::vector<Ready> ready_;
};

}  // namespace squall
