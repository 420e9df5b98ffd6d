#include <squall/ioloop/poller/poller_epoll.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/poller/poll_bits.h>

#include <sys/epoll.h>

namespace squall {
namespace {

constexpr std::size_t kFirstBatch = 256;
constexpr std::size_t kLargestBatch = 4096;

Events from_epoll(std::uint32_t flags) {
  // Error and hang-up come unasked. Reported as both directions, they send the waiting read or write to its
  // system call, which learns the true errno.
  if (flags & (EPOLLERR | EPOLLHUP)) return Events::read | Events::write | Events::hangup;
  return (flags & EPOLLIN ? Events::read : Events::none) | (flags & EPOLLOUT ? Events::write : Events::none);
}

}  // namespace

EpollPoller::EpollPoller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), raw_(kFirstBatch) {
  if (!epoll_) throw_errno("epoll_create1");
  ready_.reserve(kFirstBatch);
}

EpollPoller::~EpollPoller() = default;

void EpollPoller::update(int fd, std::uint32_t generation, Events before, Events after) {
  epoll_event event{};
  event.data.u64 = static_cast<std::uint64_t>(generation) << 32 | static_cast<std::uint32_t>(fd);
  if (has(after, Events::read)) event.events |= EPOLLIN;
  if (has(after, Events::write)) event.events |= EPOLLOUT;
  const int operation = before == Events::none  ? EPOLL_CTL_ADD
                        : after == Events::none ? EPOLL_CTL_DEL
                                                : EPOLL_CTL_MOD;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) throw_errno("epoll_ctl");
}

std::span<const Ready> EpollPoller::wait(std::chrono::nanoseconds timeout) {
  const int count = ::epoll_wait(epoll_.get(), raw_.data(), static_cast<int>(raw_.size()),
                                 detail::to_milliseconds(timeout));
  ready_.clear();
  if (count < 0) {
    if (errno != EINTR) throw_errno("epoll_wait");
    return ready_;
  }
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = raw_[i].data.u64;
    ready_.push_back(
        {static_cast<int>(data), static_cast<std::uint32_t>(data >> 32), from_epoll(raw_[i].events)});
  }
  // A full batch means more may be waiting; grow, so that one turn can see them all.
  if (static_cast<std::size_t>(count) == raw_.size() && raw_.size() < kLargestBatch) grow();
  return ready_;
}

void EpollPoller::grow() noexcept {
  try {
    // The result first: wait() must have room for whatever it can be told.
    ready_.reserve(raw_.size() * 2);
    raw_.resize(raw_.size() * 2);
  } catch (const std::bad_alloc&) {
    // The next turn sees the others.
  }
}

}  // namespace squall
