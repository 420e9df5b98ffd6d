#include <squall/ioloop/poller/poller_devpoll.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/poller/poll_bits.h>

#include <fcntl.h>
#include <sys/devpoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>
#include <system_error>

namespace squall {
namespace {

constexpr std::size_t kFirstBatch = 256;
constexpr std::size_t kLargestBatch = 4096;

// Removes `fd` from the set if `before` has events, and adds it with `after` if `after` has events. /dev/poll
// would otherwise add the new events to the old ones.
int change(int device, int fd, Events before, Events after) noexcept {
  std::array<pollfd, 2> changes{};
  std::size_t count = 0;
  if (before != Events::none) changes[count++] = {fd, POLLREMOVE, 0};
  if (after != Events::none) changes[count++] = {fd, detail::to_poll(after), 0};
  ssize_t written;
  do {
    written = ::write(device, changes.data(), count * sizeof(pollfd));
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

}  // namespace

DevpollPoller::DevpollPoller() : device_(::open("/dev/poll", O_RDWR | O_CLOEXEC)), raw_(kFirstBatch) {
  if (!device_) throw_errno("/dev/poll");
  ready_.reserve(kFirstBatch);
}

void DevpollPoller::update(int fd, std::uint32_t generation, Events before, Events after) {
  const auto index = static_cast<std::size_t>(fd);
  const bool known = index < entries_.size() && entries_[index].events != Events::none;
  if (before != Events::none && !known)
    throw std::system_error(ENOENT, std::generic_category(), "not registered with /dev/poll");
  if (after == Events::none && !known) return;
  // /dev/poll accepts a closed descriptor without an error, and never reports it.
  if (after != Events::none && ::fcntl(fd, F_GETFD) < 0) throw_errno("fcntl");
  if (index >= entries_.size())
    entries_.resize(std::max(index + 1, entries_.size() + entries_.size() / 4 + 64));

  // Uses `entry.events`, not `before`: a descriptor that was closed without being removed is still in the
  // set.
  Entry& entry = entries_[index];
  if (const int error = change(device_.get(), fd, entry.events, after); error != 0) {
    change(device_.get(), fd, entry.events, entry.events);
    throw std::system_error(error, std::generic_category(), "/dev/poll");
  }
  registered_ = registered_ + (after != Events::none) - known;
  entry = {generation, after};
}

std::span<const Ready> DevpollPoller::wait(std::optional<std::chrono::nanoseconds> timeout) {
  dvpoll request{};
  request.dp_fds = raw_.data();
  // Not more than the registered descriptors: /dev/poll refuses a batch as large as the limit of open
  // descriptors, and the default limit equals the size of the batch.
  request.dp_nfds =
      static_cast<decltype(request.dp_nfds)>(std::min(raw_.size(), std::max<std::size_t>(registered_, 1)));
  request.dp_timeout = detail::to_milliseconds(timeout);
  const int count = ::ioctl(device_.get(), DP_POLL, &request);
  ready_.clear();
  if (count < 0) {
    if (errno != EINTR) throw_errno("/dev/poll");
    return ready_;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const int fd = raw_[i].fd;
    ready_.push_back(
        {fd, entries_[static_cast<std::size_t>(fd)].generation, detail::from_poll(raw_[i].revents)});
  }
  // After a full batch more events may wait; the next turn can take them all.
  if (static_cast<std::size_t>(count) == raw_.size() && raw_.size() < kLargestBatch) grow();
  return ready_;
}

void DevpollPoller::grow() noexcept {
  try {
    // Enlarges the result first: it must have room for all events that the device can report.
    ready_.reserve(raw_.size() * 2);
    raw_.resize(raw_.size() * 2);
  } catch (const std::bad_alloc&) {
    // The batch keeps its size; later turns see the other events.
  }
}

}  // namespace squall
