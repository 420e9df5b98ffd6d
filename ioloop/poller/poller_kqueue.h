#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/poller/poller.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

struct kevent;  // <sys/event.h> is not everywhere, and every header compiles alone

namespace squall {

// macOS and the BSDs: kqueue(2). Reading and writing of one descriptor are two filters, reported as two
// entries of a batch. A regular file is readable before its end. Whether a regular file is writable, and
// whether the write end of a pipe is readable, depends on the system.
class KqueuePoller final : public Poller {
 public:
  KqueuePoller();
  ~KqueuePoller() override;
  std::string_view name() const noexcept override { return "kqueue"; }
  int fd() const noexcept override { return kqueue_.get(); }
  void update(int fd, std::uint32_t generation, Events before, Events after) override;
  std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override;

 private:
  bool is_broken(int fd) const noexcept;
  void grow() noexcept;

  OwnedFd kqueue_;
  std::vector<struct ::kevent> raw_;
  std::vector<Ready> ready_;
  // Write ends of pipes whose read end was closed before the registration. kqueue refuses to watch them;
  // wait() reports them as writable in every batch, as kqueue would if the read end had been closed later.
  std::vector<Ready> broken_;
};

}  // namespace squall
