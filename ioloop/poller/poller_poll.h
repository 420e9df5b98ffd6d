#pragma once

#include <squall/ioloop/poller/poller.h>

#include <poll.h>

#include <cstdint>
#include <vector>

namespace squall {

// Anywhere: poll(2). Every wait costs time in proportion to all that is registered, not only to what is
// ready. A descriptor closed without being removed is reported ready until it is.
class PollPoller final : public Poller {
 public:
  std::string_view name() const noexcept override { return "poll"; }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override;

 private:
  static constexpr std::uint32_t kAbsent = 0xffff'ffff;

  void add(int fd, std::uint32_t generation, Events events);
  void remove(std::uint32_t place) noexcept;

  // What poll(2) is given, without gaps; the generations lie beside.
  std::vector<pollfd> polled_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> places_;  // by descriptor: its index in polled_
  std::vector<Ready> ready_;
};

}  // namespace squall
