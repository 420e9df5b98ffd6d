#include <squall/ioloop/poller/poller_poll.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/poller/poll_bits.h>

#include <fcntl.h>

#include <algorithm>
#include <new>
#include <system_error>

namespace squall {
namespace {

constexpr std::size_t kFirstRoom = 64;

}  // namespace

PollPoller::PollPoller() { ready_.reserve(kFirstRoom); }

void PollPoller::update(int fd, std::uint32_t generation, Events before, Events after) {
  const auto index = static_cast<std::size_t>(fd);
  const std::uint32_t place = index < places_.size() ? places_[index] : kAbsent;
  if (before != Events::none && place == kAbsent)
    throw std::system_error(ENOENT, std::generic_category(), "not registered with poll");
  if (after == Events::none) {
    if (place != kAbsent) remove(place);
    return;
  }
  // Registering makes no system call, so EBADF is checked here.
  if (::fcntl(fd, F_GETFD) < 0) throw_errno("fcntl");
  if (place == kAbsent) {
    add(fd, generation, after);
    return;
  }
  // Also replaces the entry of a previous descriptor of this number that was closed without being removed.
  polled_[place].events = detail::to_poll(after);
  generations_[place] = generation;
}

void PollPoller::add(int fd, std::uint32_t generation, Events events) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= places_.size())
    places_.resize(std::max(index + 1, places_.size() + places_.size() / 4 + 64), kAbsent);
  // Allocates first, so that an exception changes nothing.
  if (polled_.size() == polled_.capacity()) {
    const std::size_t room = std::max(kFirstRoom, polled_.size() * 2);
    generations_.reserve(room);
    polled_.reserve(room);
  }
  places_[index] = static_cast<std::uint32_t>(polled_.size());
  polled_.push_back({fd, detail::to_poll(events), 0});
  generations_.push_back(generation);
}

void PollPoller::remove(std::uint32_t place) noexcept {
  places_[static_cast<std::size_t>(polled_[place].fd)] = kAbsent;
  // Moves the last entry to its place.
  if (place + 1 != polled_.size()) {
    polled_[place] = polled_.back();
    generations_[place] = generations_.back();
    places_[static_cast<std::size_t>(polled_[place].fd)] = place;
  }
  polled_.pop_back();
  generations_.pop_back();
}

std::span<const Ready> PollPoller::wait(std::optional<std::chrono::nanoseconds> timeout) {
  ready_.clear();
  grow();
  int left = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), detail::to_milliseconds(timeout));
  if (left < 0) {
    if (errno != EINTR) throw_errno("poll");
    return ready_;
  }
  for (std::size_t i = 0; left > 0 && i < polled_.size() && ready_.size() < ready_.capacity(); ++i) {
    if (polled_[i].revents == 0) continue;
    ready_.push_back({polled_[i].fd, generations_[i], detail::from_poll(polled_[i].revents)});
    --left;
  }
  return ready_;
}

void PollPoller::grow() noexcept {
  if (ready_.capacity() >= polled_.size()) return;
  try {
    ready_.reserve(polled_.capacity());
  } catch (const std::bad_alloc&) {
    // The events that do not fit come in later turns.
  }
}

}  // namespace squall
