#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/poller/poller.h>

#include <cstdint>
#include <span>
#include <vector>

struct kevent;  // <sys/event.h> is not everywhere, and every header compiles alone

namespace squall {

// macOS and the BSDs: kqueue(2). Reading and writing of one descriptor are two filters there, and arrive as
// two entries of a batch. A regular file is readable while it is not at its end; whether it is writable
// depends on the system, and so does whether reading is reported on the write end of a pipe.
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
  // Write ends of pipes that had lost their reader before they were registered, which kqueue refuses to
  // watch: ready in every batch, as they would be had they been registered before.
  std::vector<Ready> broken_;
};

}  // namespace squall
