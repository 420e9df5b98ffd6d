// /dev/poll over poll(2). sys/devpoll.h lists the rules that it implements, with their sources.

#include <sys/devpoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#undef open
#undef write
#undef ioctl

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "shim_faults.h"

namespace {

int fail(int error) {
  errno = error;
  return -1;
}

rlim_t most_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

class Set {
 public:
  // The number of bytes, or -1 with errno.
  ssize_t write(const pollfd* changes, std::size_t size);
  // The number of descriptors, or -1 with errno.
  int poll(const dvpoll& request);

 private:
  struct Entry {
    short events = 0;
    bool polled = false;  // false if it was closed when it was added, and after its removal
  };

  bool is_foreign();

  pid_t owner_ = -1;  // the first process to use it
  std::map<int, Entry> entries_;
  int next_ = 0;  // where the next search begins
};

bool Set::is_foreign() {
  if (owner_ == -1) owner_ = ::getpid();
  return owner_ != ::getpid();
}

ssize_t Set::write(const pollfd* changes, std::size_t size) {
  if (is_foreign()) return fail(EACCES);
  const std::size_t count = size / sizeof(pollfd);
  if (count > most_descriptors()) return fail(EINVAL);
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = changes[i].fd;
    if (fd < 0 || static_cast<rlim_t>(fd) >= most_descriptors()) continue;
    if (changes[i].events == POLLREMOVE) {
      const auto found = entries_.find(fd);
      if (found != entries_.end() && found->second.polled) entries_.erase(found);
      continue;
    }
    Entry& entry = entries_[fd];
    entry.events = static_cast<short>(entry.events | changes[i].events);
    if (::fcntl(fd, F_GETFD) >= 0) entry.polled = true;
  }
  return static_cast<ssize_t>(size);
}

int Set::poll(const dvpoll& request) {
  if (is_foreign()) return fail(EACCES);
  if (request.dp_nfds < 0 || static_cast<rlim_t>(request.dp_nfds) >= most_descriptors()) return fail(EINVAL);
  if (request.dp_nfds == 0) return ::poll(nullptr, 0, request.dp_timeout);
  if (!request.dp_fds) return fail(EFAULT);
  std::vector<pollfd> polled;
  const auto add = [&polled](const auto& entry) {
    if (entry.second.polled) polled.push_back({entry.first, entry.second.events, 0});
  };
  const auto start = entries_.lower_bound(next_);
  std::for_each(start, entries_.end(), add);
  std::for_each(entries_.begin(), start, add);
  if (::poll(polled.data(), polled.size(), request.dp_timeout) < 0) return -1;
  int count = 0;
  for (const pollfd& each : polled) {
    if (each.revents == 0) continue;
    request.dp_fds[count++] = each;
    next_ = each.fd + 1;
    if (count == request.dp_nfds) return count;
  }
  return count;
}

// The descriptors that are sets. A closed descriptor stays until its number is reused for another set.
std::mutex g_mutex;
std::map<int, std::shared_ptr<Set>>& sets() {
  static std::map<int, std::shared_ptr<Set>> all;
  return all;
}

std::shared_ptr<Set> find(int fd) {
  const SquallInsideShim inside;
  const std::lock_guard lock(g_mutex);
  const auto found = sets().find(fd);
  return found != sets().end() && ::fcntl(fd, F_GETFD) >= 0 ? found->second : nullptr;
}

}  // namespace

int squall_shim_open(const char* path, int flags) {
  if (std::strcmp(path, "/dev/poll") != 0) return ::open(path, flags);
  if (const int error = squall_shim_error("/dev/poll", -1)) return fail(error);
  const SquallInsideShim inside;
  if ((flags & O_ACCMODE) != O_RDWR) return fail(EACCES);
  // Any kind of descriptor can be used.
  const int fd = ::eventfd(0, flags & O_CLOEXEC ? EFD_CLOEXEC : 0);
  if (fd < 0) return -1;
  const std::lock_guard lock(g_mutex);
  sets()[fd] = std::make_shared<Set>();
  return fd;
}

ssize_t squall_shim_write(int fd, const void* bytes, std::size_t size) {
  const std::shared_ptr<Set> set = find(fd);
  if (!set) return ::write(fd, bytes, size);
  const auto* const changes = static_cast<const pollfd*>(bytes);
  if (const int error = squall_shim_error("/dev/poll change", changes->fd)) return fail(error);
  const SquallInsideShim inside;
  return set->write(changes, size);
}

int squall_shim_ioctl(int fd, int request, void* argument) {
  const std::shared_ptr<Set> set = find(fd);
  if (!set) return ::ioctl(fd, static_cast<unsigned long>(request), argument);
  if (request != DP_POLL) return fail(EINVAL);
  if (!argument) return fail(EFAULT);
  if (const int error = squall_shim_error("/dev/poll wait", -1)) return fail(error);
  const SquallInsideShim inside;
  return set->poll(*static_cast<const dvpoll*>(argument));
}
