#include <squall/ioloop/poller/poller_epoll.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/poller/poll_bits.h>

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace squall {
namespace {

constexpr std::size_t kFirstBatch = 256;
constexpr std::size_t kLargestBatch = 4096;

Events from_epoll(std::uint32_t flags) {
  // The kernel reports errors and hang-ups always. They become readiness to read and write: the read or write
  // that follows gets the errno.
  if (flags & (EPOLLERR | EPOLLHUP)) return Events::read | Events::write | Events::hangup;
  return (flags & EPOLLIN ? Events::read : Events::none) | (flags & EPOLLOUT ? Events::write : Events::none);
}

static_assert(sizeof(Ready) <= sizeof(epoll_event) && alignof(Ready) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

std::unique_ptr<std::byte[]> make_batch(std::size_t events) {
  return std::make_unique_for_overwrite<std::byte[]>(events * sizeof(epoll_event));
}

}  // namespace

EpollPoller::EpollPoller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), capacity_(kFirstBatch), batch_(make_batch(kFirstBatch)) {
  if (!epoll_) throw_errno("epoll_create1");
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

[[gnu::hot]] std::span<const Ready> EpollPoller::wait(std::optional<std::chrono::nanoseconds> timeout) {
  if (full_) [[unlikely]]
    grow();
  const int count = ::epoll_wait(epoll_.get(), reinterpret_cast<epoll_event*>(batch_.get()),
                                 static_cast<int>(capacity_), detail::to_milliseconds(timeout));
  if (count < 0) [[unlikely]] {
    if (errno != EINTR) throw_errno("epoll_wait");
    return {};
  }
  // After a full batch more events may wait; the next turn can take them all.
  full_ = static_cast<std::size_t>(count) == capacity_ && capacity_ < kLargestBatch;
  return convert(static_cast<std::size_t>(count));
}

// Converts in ascending order: the Ready of an event begins no later than the event, and ends before the
// next event.
std::span<const Ready> EpollPoller::convert(std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    epoll_event event;
    std::memcpy(&event, batch_.get() + i * sizeof event, sizeof event);
    const std::uint64_t data = event.data.u64;
    ::new (batch_.get() + i * sizeof(Ready))
        Ready{static_cast<int>(data), static_cast<std::uint32_t>(data >> 32), from_epoll(event.events)};
  }
  return {std::launder(reinterpret_cast<const Ready*>(batch_.get())), count};
}

void EpollPoller::grow() noexcept {
  try {
    batch_ = make_batch(capacity_ * 2);
    capacity_ *= 2;
  } catch (const std::bad_alloc&) {
    // The batch keeps its size; later turns see the other events.
  }
}

}  // namespace squall
