#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// Makes system calls and allocations fail, for programs that link faults.cc, which replaces the functions of
// libc that Squall calls, and operator new. The library needs no change for it.
//
//     const faults::Injection fault(faults::Call::epoll_ctl, ENOMEM);
//     CHECK_THROWS_AS(loop.add_handler(fd, Events::read, handler), std::system_error);
//     CHECK(fault.hits() == 1);
//
// An injection affects only the thread that made it. Several may be active: the newest one that matches a
// call applies.
namespace squall::testing::faults {

enum class Call {
  any,     // all other calls
  accept,  // and accept4()
  bind,
  chmod,
  close,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  eventfd,
  fchmod,
  fcntl,
  fork,
  fstat,
  getaddrinfo,  // its errors are EAI_NONAME, ...
  getpeername,
  getrlimit,
  getsockname,
  getsockopt,
  kill,
  listen,
  lstat,
  open,
  pidfd_open,
  pidfd_send_signal,
  pipe,  // and pipe2()
  poll,
  posix_spawnp,
  pread,
  pthread_sigmask,
  random,  // getentropy(), or open() of /dev/urandom
  read,
  recv,
  rename,
  send,
  sendfile,
  sendmsg,
  setsockopt,
  shutdown,
  sigaction,
  sigprocmask,
  socket,
  splice,
  stat,
  unlink,
  waitpid,
  write,
  writev,
  // The calls of the current poller, which the shims make for the pollers of other systems.
  poller_create,  // epoll_create1(), kqueue(), or open() of /dev/poll; poll() has no such call
  // epoll_ctl(), a change of kevent(), a write to /dev/poll, or the fcntl() that finds a closed descriptor.
  poller_update,
  poller_wait,  // epoll_wait(), kevent(), the ioctl() of /dev/poll, or poll()
};
std::string_view name_of(Call call) noexcept;

struct When {
  int after = 0;  // the number of calls that succeed first
  int times = 1;  // the number of calls that fail after them
  int fd = -1;    // only calls on this descriptor count
};
inline constexpr int kAlways = std::numeric_limits<int>::max();

namespace detail {

struct Verdict {
  int error = 0;  // fails with this, if not 0
  std::size_t at_most = std::numeric_limits<std::size_t>::max();
};

// The active injections of this thread.
class Rule {
 public:
  Rule(Call call, Verdict verdict, When when) noexcept;
  ~Rule();
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  // The number of calls that the rule has changed, and of calls that matched.
  int hits() const noexcept { return hits_; }
  int calls() const noexcept { return calls_; }
  // The last call that the rule has changed.
  Call last() const noexcept { return last_; }

  bool decides(Call call, Call poller_call, int fd) noexcept;
  const Verdict& verdict() const noexcept { return verdict_; }
  Rule* older() const noexcept { return older_; }

 private:
  const Call call_;
  const Verdict verdict_;
  const When when_;
  int calls_ = 0;
  int hits_ = 0;
  Call last_ = Call::any;
  Rule* older_;
};

}  // namespace detail

// During its lifetime a call fails with `error` and does nothing; close() still closes.
class Injection : public detail::Rule {
 public:
  Injection(Call call, int error, When when = {}) noexcept : Rule(call, {error}, when) {}
};

// During its lifetime each call of recv, send, sendmsg, sendfile, read, pread or write transfers at most
// `bytes`.
class Short : public detail::Rule {
 public:
  Short(Call call, std::size_t bytes) noexcept : Rule(call, {0, bytes}, {0, kAlways, -1}) {}
};

// During its lifetime `times` allocations by operator new on this thread throw std::bad_alloc, after
// `after` successful ones.
class AllocationFault {
 public:
  explicit AllocationFault(int after = 0, int times = 1) noexcept;
  ~AllocationFault();
  AllocationFault(const AllocationFault&) = delete;
  AllocationFault& operator=(const AllocationFault&) = delete;

  // Ends the injection and returns the number of failed allocations. Call it before checks, which allocate.
  int disarm() noexcept;
};

// During its lifetime getaddrinfo() returns these numeric addresses, in this order, for every name.
class Names {
 public:
  explicit Names(std::vector<const char*> addresses) noexcept;
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  const std::vector<const char*> addresses;
};

// During its lifetime the injections of this thread are off, for a test's own calls.
class Truce {
 public:
  Truce() noexcept;
  ~Truce();
  Truce(const Truce&) = delete;
  Truce& operator=(const Truce&) = delete;
};

// The number of open descriptors of this process.
int open_descriptors();

// Calls `scenario(after)` with 0, 1, 2, ... until it returns false. The scenario injects a fault after
// `after` calls or allocations, and returns whether the fault occurred, so that each call fails once. Returns
// the number of faults.
template <class Scenario>
int in_turn(Scenario scenario) {
  int after = 0;
  while (scenario(after)) ++after;
  return after;
}

}  // namespace squall::testing::faults
