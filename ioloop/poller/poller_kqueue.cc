#include <squall/ioloop/poller/poller_kqueue.h>

#include <squall/ioloop/base/errors.h>

#include <fcntl.h>
#include <sys/types.h>

// Needs <sys/types.h> on some systems.
#include <sys/event.h>

#include <algorithm>
#include <array>
#include <new>
#include <system_error>

namespace squall {
namespace {

constexpr std::size_t kFirstBatch = 256;
constexpr std::size_t kLargestBatch = 4096;
// Some systems refuse longer waits, some shorten them; the loop waits again (IOL-20).
constexpr std::chrono::hours kLongestWait{24};

void try_to_reserve(std::vector<Ready>& ready, std::size_t room) noexcept {
  try {
    ready.reserve(room);
  } catch (const std::bad_alloc&) {
  }
}

// At most one change for reading and one for writing.
struct Changes {
  void set(int fd, int filter, std::uint32_t generation, bool wanted) noexcept {
    // With EV_RECEIPT every change has an entry in the list of events, before the events, with 0 or the
    // errno. Without it, the first failure would hide the results of the other changes.
    const int action = wanted ? EV_ADD | EV_RECEIPT : EV_DELETE | EV_RECEIPT;
    struct ::kevent& change = list[static_cast<std::size_t>(count++)];
    EV_SET(&change, static_cast<std::uintptr_t>(fd), filter, action, 0, 0,
           reinterpret_cast<void*>(static_cast<std::uintptr_t>(generation)));
  }
  std::array<struct ::kevent, 2> list;
  int count = 0;
};

// The write end of a pipe that has no reader cannot be watched for writing: EPIPE, or EBADF on NetBSD.
bool lost_its_reader(const struct ::kevent& receipt, bool wanted) {
  if (receipt.filter != EVFILT_WRITE || !wanted) return false;
  return receipt.data == EPIPE ||
         (receipt.data == EBADF && ::fcntl(static_cast<int>(receipt.ident), F_GETFD) >= 0);
}

}  // namespace

KqueuePoller::KqueuePoller() : kqueue_(::kqueue()), raw_(kFirstBatch) {
  if (!kqueue_) throw_errno("kqueue");
  // Not every system has a call that makes a kqueue with close-on-exec.
  if (::fcntl(kqueue_.get(), F_SETFD, FD_CLOEXEC) < 0) throw_errno("fcntl");
  ready_.reserve(kFirstBatch);
}

KqueuePoller::~KqueuePoller() = default;

bool KqueuePoller::is_broken(int fd) const noexcept {
  return std::any_of(broken_.begin(), broken_.end(), [fd](const Ready& ready) { return ready.fd == fd; });
}

void KqueuePoller::update(int fd, std::uint32_t generation, Events before, Events after) {
  // kqueue has no filter for a hang-up alone, so Events::hangup registers nothing.
  const bool reading = has(after, Events::read);
  const bool writing = has(after, Events::write);
  if (writing) broken_.reserve(broken_.size() + 1);  // may throw, so it comes before any change
  Changes changes;
  if (reading != has(before, Events::read)) changes.set(fd, EVFILT_READ, generation, reading);
  if (writing != has(before, Events::write) && (writing || !is_broken(fd)))
    changes.set(fd, EVFILT_WRITE, generation, writing);

  const timespec now{};
  std::array<struct ::kevent, 2> receipts;
  const int count =
      ::kevent(kqueue_.get(), changes.list.data(), changes.count, receipts.data(), changes.count, &now);
  if (count < 0) throw_errno("kevent");
  int error = 0;
  bool broken = false;
  Changes undo;
  for (int i = 0; i < count; ++i) {
    const struct ::kevent& receipt = receipts[static_cast<std::size_t>(i)];
    if (receipt.data == 0) {
      undo.set(fd, receipt.filter, generation,
               has(before, receipt.filter == EVFILT_READ ? Events::read : Events::write));
    } else if (lost_its_reader(receipt, writing)) {
      broken = true;
    } else {
      error = static_cast<int>(receipt.data);
    }
  }
  if (error != 0) {
    ::kevent(kqueue_.get(), undo.list.data(), undo.count, receipts.data(), undo.count, &now);
    throw std::system_error(error, std::generic_category(), "kevent");
  }
  if (writing != has(before, Events::write))
    std::erase_if(broken_, [fd](const Ready& ready) { return ready.fd == fd; });
  if (broken) broken_.push_back({fd, generation, Events::write});
}

std::span<const Ready> KqueuePoller::wait(std::optional<std::chrono::nanoseconds> timeout) {
  ready_.clear();
  // Without memory for more, the events that do not fit come in later turns.
  const std::size_t wanted = raw_.size() + broken_.size();
  if (ready_.capacity() < wanted) try_to_reserve(ready_, wanted);
  const std::size_t room = std::min(raw_.size(), ready_.capacity());
  if (!broken_.empty()) timeout = std::chrono::nanoseconds(0);
  const auto nanoseconds = std::min<std::chrono::nanoseconds>(timeout.value_or(kLongestWait), kLongestWait);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(nanoseconds);
  timespec limit{};
  limit.tv_sec = static_cast<decltype(limit.tv_sec)>(seconds.count());
  limit.tv_nsec = static_cast<decltype(limit.tv_nsec)>((nanoseconds - seconds).count());
  const int count =
      ::kevent(kqueue_.get(), nullptr, 0, raw_.data(), static_cast<int>(room), timeout ? &limit : nullptr);
  if (count < 0) {
    if (errno != EINTR) throw_errno("kevent");
    return ready_;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    // EV_EOF and EV_ERROR are readiness too: the read or write that follows gets the errno.
    ready_.push_back({static_cast<int>(raw_[i].ident),
                      static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(raw_[i].udata)),
                      raw_[i].filter == EVFILT_WRITE ? Events::write : Events::read});
  }
  for (const Ready& broken : broken_)
    if (ready_.size() < ready_.capacity()) ready_.push_back(broken);
  // After a full batch more events may wait; the next turn can take them all.
  if (static_cast<std::size_t>(count) == raw_.size() && raw_.size() < kLargestBatch) grow();
  return ready_;
}

void KqueuePoller::grow() noexcept {
  try {
    raw_.resize(raw_.size() * 2);
  } catch (const std::bad_alloc&) {
    // The batch keeps its size; later turns see the other events.
  }
}

}  // namespace squall
