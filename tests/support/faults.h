#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

// Failing system calls and allocations on demand, for programs that link faults.cc: it defines the functions
// of libc that Squall calls, and operator new, in front of the real ones. The library itself knows nothing of
// it.
//
//     const faults::Injection fault(faults::Call::epoll_ctl, ENOMEM);
//     CHECK_THROWS_AS(loop.add_handler(fd, Events::read, handler), std::system_error);
//     CHECK(fault.hits() == 1);
//
// What is injected concerns the thread that asked for it alone. Several may be in force: the newest that
// matches a call decides.
namespace squall::testing::faults {

enum class Call {
  any,  // all of the others
  accept4,
  bind,
  close,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  eventfd,
  fcntl,
  getaddrinfo,  // its errors are EAI_NONAME, ...
  getpeername,
  getsockname,
  getsockopt,
  listen,
  open,
  pipe2,
  poll,
  pread,
  read,
  recv,
  send,
  sendfile,
  sendmsg,
  setsockopt,
  shutdown,
  sigaction,
  socket,
  write,
  writev,
};
std::string_view name_of(Call call) noexcept;

struct When {
  int after = 0;  // calls that are let through first
  int times = 1;  // and how many fail then
  int fd = -1;    // only calls on this descriptor count
};
inline constexpr int kAlways = std::numeric_limits<int>::max();

namespace detail {

struct Verdict {
  int error = 0;  // fails with this, if not 0
  std::size_t at_most = std::numeric_limits<std::size_t>::max();
};

// What is in force on this thread.
class Rule {
 public:
  Rule(Call call, Verdict verdict, When when) noexcept;
  ~Rule();
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  // Calls that it has changed, and calls that it was asked about.
  int hits() const noexcept { return hits_; }
  int calls() const noexcept { return calls_; }
  // The call that it changed last.
  Call last() const noexcept { return last_; }

  bool decides(Call call, int fd) noexcept;
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

// While it lives a call fails with `error` and does nothing; but close() does close.
class Injection : public detail::Rule {
 public:
  Injection(Call call, int error, When when = {}) noexcept : Rule(call, {error}, when) {}
};

// While it lives recv, send, sendmsg, sendfile, read, pread or write moves `bytes` at most, in every call.
class Short : public detail::Rule {
 public:
  Short(Call call, std::size_t bytes) noexcept : Rule(call, {0, bytes}, {0, kAlways, -1}) {}
};

// While it lives allocations by operator new on this thread throw std::bad_alloc: after `after` of them
// `times` do.
class AllocationFault {
 public:
  explicit AllocationFault(int after = 0, int times = 1) noexcept;
  ~AllocationFault();
  AllocationFault(const AllocationFault&) = delete;
  AllocationFault& operator=(const AllocationFault&) = delete;

  // Ends it early; returns how many allocations have failed. Checks come after that, as they allocate.
  int disarm() noexcept;
};

// Within it nothing is injected on this thread: for a test's own calls in the middle of what it tests.
class Truce {
 public:
  Truce() noexcept;
  ~Truce();
  Truce(const Truce&) = delete;
  Truce& operator=(const Truce&) = delete;
};

// Descriptors this process has open.
int open_descriptors();

// Calls `scenario(after)` with 0, 1, 2, ... until it returns false. It injects a fault that lets `after`
// calls or allocations through, and returns whether that hit anything: so each of them fails in turn. Returns
// how many that were.
template <class Scenario>
int in_turn(Scenario scenario) {
  int after = 0;
  while (scenario(after)) ++after;
  return after;
}

}  // namespace squall::testing::faults
