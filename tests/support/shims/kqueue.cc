// kqueue(2) over poll(2). sys/event.h lists the rules that it implements, with their sources.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "shim_faults.h"

namespace {

constexpr time_t kLongestWait = 100'000'000;
constexpr int kRefused = EV_ONESHOT | EV_CLEAR | EV_DISPATCH;

// Ordered by descriptor, and READ before WRITE.
struct Key {
  int fd;
  int filter;
  friend bool operator<(Key a, Key b) { return std::pair(a.fd, -a.filter) < std::pair(b.fd, -b.filter); }
};

struct Knote {
  void* udata;
  bool enabled;
  // Distinguish the file from a later file with the same number.
  dev_t device;
  ino_t inode;
  bool regular;
  bool never;  // the descriptor was not opened for this direction
};

class Queue {
 public:
  // The descriptor is an epoll, so that it can be polled and closed like any other. It gets every change,
  // but its events are not used.
  explicit Queue(int fd) : fd_(fd), owner_(::getpid()) {}

  bool is_of_this_process() const { return owner_ == ::getpid(); }

  // Returns 0 or an errno.
  int change(const struct kevent& wanted);
  // Returns the number of events, or -1 with errno.
  int fetch(struct kevent* events, int room, const timespec* timeout);

 private:
  using Knotes = std::map<Key, Knote>;

  int add(Key key, const struct kevent& wanted, const struct stat& file);
  void forget_if_closed(int fd, const struct stat* file);
  void tell_epoll(int fd) const;
  static bool report(Key key, const Knote& knote, short flags, struct kevent& event);

  int fd_;
  pid_t owner_;
  Knotes knotes_;
  Key next_{-1, EVFILT_READ};  // where the next search for events begins
};

bool is_same(const Knote& knote, const struct stat& file) {
  return knote.device == file.st_dev && knote.inode == file.st_ino;
}

std::int64_t bytes_left(int fd) {
  struct stat file;
  const off_t place = ::lseek(fd, 0, SEEK_CUR);
  return ::fstat(fd, &file) == 0 && place >= 0 ? file.st_size - place : 0;
}

int Queue::change(const struct kevent& wanted) {
  if (wanted.filter != EVFILT_READ && wanted.filter != EVFILT_WRITE) return EINVAL;
  if ((wanted.flags & kRefused) || wanted.fflags != 0) return EINVAL;
  const Key key{static_cast<int>(wanted.ident), wanted.filter};
  struct stat file;
  const bool open = ::fstat(key.fd, &file) == 0;
  forget_if_closed(key.fd, open ? &file : nullptr);
  if (!open) return EBADF;

  const auto found = knotes_.find(key);
  if (found == knotes_.end()) return wanted.flags & EV_ADD ? add(key, wanted, file) : ENOENT;
  if (wanted.flags & EV_DELETE) {
    knotes_.erase(found);
  } else {
    found->second.udata = wanted.udata;
    if (wanted.flags & (EV_ADD | EV_ENABLE)) found->second.enabled = true;
    if (wanted.flags & EV_DISABLE) found->second.enabled = false;
  }
  tell_epoll(key.fd);
  return 0;
}

int Queue::add(Key key, const struct kevent& wanted, const struct stat& file) {
  const bool writing = key.filter == EVFILT_WRITE;
  const bool regular = S_ISREG(file.st_mode);
  if (writing && regular) return EINVAL;
  if (writing && S_ISFIFO(file.st_mode)) {
    pollfd end{key.fd, POLLOUT, 0};
    if (::poll(&end, 1, 0) > 0 && (end.revents & POLLERR)) return EPIPE;
  }
  const int mode = ::fcntl(key.fd, F_GETFL) & O_ACCMODE;
  const bool never = mode == (writing ? O_RDONLY : O_WRONLY);
  knotes_[key] = {wanted.udata, !(wanted.flags & EV_DISABLE), file.st_dev, file.st_ino, regular, never};
  tell_epoll(key.fd);
  return 0;
}

// `file` is the open file of that number; null if the number is not open.
void Queue::forget_if_closed(int fd, const struct stat* file) {
  for (const int filter : {EVFILT_READ, EVFILT_WRITE}) {
    const auto found = knotes_.find(Key{fd, filter});
    if (found != knotes_.end() && (!file || !is_same(found->second, *file))) knotes_.erase(found);
  }
}

void Queue::tell_epoll(int fd) const {
  epoll_event event{};
  for (const auto& [filter, flag] : {std::pair(EVFILT_READ, EPOLLIN), std::pair(EVFILT_WRITE, EPOLLOUT)}) {
    const auto found = knotes_.find(Key{fd, filter});
    if (found != knotes_.end() && found->second.enabled && !found->second.never) event.events |= flag;
  }
  if (event.events == 0) {
    ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr);
  } else if (::epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) != 0) {
    ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event);
  }
}

int Queue::fetch(struct kevent* events, int room, const timespec* timeout) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (;;) {
    std::vector<Knotes::iterator> order;
    order.reserve(knotes_.size());
    const auto first = knotes_.lower_bound(next_);
    for (auto each = first; each != knotes_.end(); ++each) order.push_back(each);
    for (auto each = knotes_.begin(); each != first; ++each) order.push_back(each);

    timespec limit{};
    if (timeout) {
      const auto left = std::max<std::chrono::nanoseconds>(std::chrono::seconds(timeout->tv_sec) +
                                                               std::chrono::nanoseconds(timeout->tv_nsec) -
                                                               (Clock::now() - start),
                                                           std::chrono::nanoseconds(0));
      limit.tv_sec = left.count() / 1'000'000'000;
      limit.tv_nsec = left.count() % 1'000'000'000;
    }
    bool wait = timeout == nullptr;
    std::vector<pollfd> polled;
    polled.reserve(order.size());
    for (const auto each : order) {
      const auto& [key, knote] = *each;
      const bool asleep = !knote.enabled || knote.never;
      const short flags = key.filter == EVFILT_READ ? POLLIN | POLLRDHUP : POLLOUT;
      // poll(2) ignores negative descriptors, and does not report the ends of files.
      polled.push_back({asleep || knote.regular ? -1 : key.fd, flags, 0});
      if (!asleep && knote.regular && bytes_left(key.fd) > 0) {
        limit = {};
        wait = false;
      }
    }
    if (::ppoll(polled.data(), polled.size(), wait ? nullptr : &limit, nullptr) < 0) return -1;

    int count = 0;
    bool forgot = false;
    for (std::size_t i = 0; i < order.size() && count < room; ++i) {
      const auto& [key, knote] = *order[i];
      if (polled[i].revents == 0 && !knote.regular) continue;
      struct stat file;
      if (::fstat(key.fd, &file) != 0 || !is_same(knote, file)) {
        knotes_.erase(order[i]);
        forgot = true;
      } else if (report(key, knote, polled[i].revents, events[count])) {
        ++count;
        next_ = {key.fd, key.filter - 1};
      }
    }
    // If all ready descriptors had been closed before, none was ready.
    if (count > 0 || !forgot) return count;
  }
}

bool Queue::report(Key key, const Knote& knote, short flags, struct kevent& event) {
  if (!knote.enabled || knote.never) return false;
  EV_SET(&event, key.fd, key.filter, 0, 0, 1, knote.udata);
  if (knote.regular) {
    event.data = bytes_left(key.fd);
    return event.data > 0;
  }
  if (flags == 0) return false;
  if (key.filter == EVFILT_READ) {
    int bytes = 0;
    if (::ioctl(key.fd, FIONREAD, &bytes) == 0) event.data = bytes;
    if (flags & (POLLHUP | POLLRDHUP)) event.flags = EV_EOF;
  } else {
    struct stat file;
    const bool pipe = ::fstat(key.fd, &file) == 0 && S_ISFIFO(file.st_mode);
    if ((flags & POLLHUP) || (pipe && (flags & POLLERR))) event.flags = EV_EOF;
  }
  return true;
}

// The descriptors that are queues. A closed descriptor stays until its number is reused for another queue.
std::mutex g_mutex;
std::map<int, std::shared_ptr<Queue>>& queues() {
  static std::map<int, std::shared_ptr<Queue>> all;
  return all;
}

std::shared_ptr<Queue> find(int fd) {
  if (::fcntl(fd, F_GETFD) < 0) return nullptr;
  const std::lock_guard lock(g_mutex);
  const auto found = queues().find(fd);
  return found != queues().end() && found->second->is_of_this_process() ? found->second : nullptr;
}

bool is_valid(const timespec& limit) {
  return limit.tv_sec >= 0 && limit.tv_sec <= kLongestWait && limit.tv_nsec >= 0 &&
         limit.tv_nsec < 1'000'000'000;
}

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

int kqueue() {
  if (const int error = squall_shim_error("kqueue", -1)) return fail(error);
  const SquallInsideShim inside;
  const int fd = ::epoll_create1(0);
  if (fd < 0) return -1;
  const std::lock_guard lock(g_mutex);
  queues()[fd] = std::make_shared<Queue>(fd);
  return fd;
}

int kevent(int kq, const struct kevent* changelist, int nchanges, struct kevent* eventlist, int nevents,
           const struct timespec* timeout) {
  if (nchanges == 0)
    if (const int error = squall_shim_error("kevent wait", -1)) return fail(error);
  // Asked before the shim's own calls, which do not fail. The poller makes at most two changes.
  std::array<int, 2> errors{};
  for (std::size_t i = 0; i < errors.size() && static_cast<int>(i) < nchanges; ++i)
    errors[i] = squall_shim_error("kevent change", static_cast<int>(changelist[i].ident));
  const SquallInsideShim inside;
  const std::shared_ptr<Queue> queue = find(kq);
  if (!queue) return fail(EBADF);
  if (timeout && !is_valid(*timeout)) return fail(EINVAL);
  int reported = 0;
  for (int i = 0; i < nchanges; ++i) {
    // A copy: the two lists may be one.
    struct kevent receipt = changelist[i];
    const auto place = static_cast<std::size_t>(i);
    const int refused = place < errors.size() ? errors[place] : 0;
    const int error = refused != 0 ? refused : queue->change(receipt);
    if (error == 0 && !(receipt.flags & EV_RECEIPT)) continue;
    if (reported == nevents) return fail(error);
    receipt.flags = EV_ERROR;
    receipt.data = error;
    eventlist[reported++] = receipt;
  }
  if (reported > 0 || nevents == 0) return reported;
  return queue->fetch(eventlist, nevents, timeout);
}
