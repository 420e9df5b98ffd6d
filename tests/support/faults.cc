#include "support/faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <new>
#include <utility>

#include "support/shims/shim_faults.h"

namespace squall::testing::faults {
namespace {

constinit thread_local detail::Rule* t_newest = nullptr;
constinit thread_local int t_truces = 0;
constinit thread_local const Names* t_names = nullptr;

struct Allocations {
  bool armed;
  int after;
  int times;
  int hits;
};
constinit thread_local Allocations t_allocations{};

// The call of the poller that a call of epoll or poll() is.
Call poller_call(Call call) noexcept {
  switch (call) {
    case Call::epoll_create1: return Call::poller_create;
    case Call::epoll_ctl: return Call::poller_update;
    case Call::epoll_wait:
    case Call::poll: return Call::poller_wait;
    default: return call;
  }
}

// Every call of the functions below passes through this function.
detail::Verdict intercept(Call call, Call poller_call, int fd) noexcept {
  if (t_truces > 0) return {};
  for (detail::Rule* rule = t_newest; rule; rule = rule->older())
    if (rule->decides(call, poller_call, fd)) return rule->verdict();
  return {};
}
detail::Verdict intercept(Call call, int fd = -1) noexcept { return intercept(call, poller_call(call), fd); }

int failed(int error) noexcept {
  errno = error;
  return -1;
}

// The function that would be called without this file: the sanitizer's, if it has one, otherwise libc's.
template <class Function>
Function* next(Function* sanitizers, const char* name) noexcept {
  return sanitizers ? sanitizers : reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int shim_error(const char* call, int fd) {
  const std::string_view name = call;
  if (name == "kqueue" || name == "/dev/poll") return intercept(Call::poller_create).error;
  if (name == "kevent change" || name == "/dev/poll change") return intercept(Call::poller_update, fd).error;
  return intercept(Call::poller_wait).error;
}
constexpr SquallShimFaults kShimFaults = {shim_error, [] { ++t_truces; }, [] { --t_truces; }};
[[maybe_unused]] const bool g_has_shims = (squall_shim_faults = &kShimFaults, true);

}  // namespace

std::string_view name_of(Call call) noexcept {
  constexpr std::array<std::string_view, 51> kNames = {
      "any",         "accept",        "bind",         "chmod",         "close",
      "connect",     "epoll_create1", "epoll_ctl",    "epoll_wait",    "eventfd",
      "fchmod",      "fcntl",         "fork",         "fstat",         "getaddrinfo",
      "getpeername", "getrlimit",     "getsockname",  "getsockopt",    "kill",
      "listen",      "lstat",         "open",         "pidfd_open",    "pidfd_send_signal",
      "pipe",        "poll",          "posix_spawnp", "pread",         "pthread_sigmask",
      "random",      "read",          "recv",         "rename",        "send",
      "sendfile",    "sendmsg",       "setsockopt",   "shutdown",      "sigaction",
      "sigprocmask", "socket",        "splice",       "stat",          "unlink",
      "waitpid",     "write",         "writev",       "poller_create", "poller_update",
      "poller_wait"};
  return kNames[static_cast<std::size_t>(call)];
}

namespace detail {

Rule::Rule(Call call, Verdict verdict, When when) noexcept
    : call_(call), verdict_(verdict), when_(when), older_(t_newest) {
  t_newest = this;
}

Rule::~Rule() {
  Rule** link = &t_newest;
  while (*link != this) link = &(*link)->older_;
  *link = older_;
}

bool Rule::decides(Call call, Call poller_call, int fd) noexcept {
  const bool is_meant = call_ == Call::any || call_ == call || call_ == poller_call;
  if (!is_meant || (when_.fd >= 0 && when_.fd != fd)) return false;
  const int number = calls_++;
  if (number < when_.after || number - when_.after >= when_.times) return false;
  ++hits_;
  last_ = call;
  return true;
}

}  // namespace detail

AllocationFault::AllocationFault(int after, int times) noexcept { t_allocations = {true, after, times, 0}; }
AllocationFault::~AllocationFault() { disarm(); }
int AllocationFault::disarm() noexcept {
  t_allocations.armed = false;
  return t_allocations.hits;
}

Names::Names(std::vector<const char*> numeric) noexcept : addresses(std::move(numeric)) { t_names = this; }
Names::~Names() { t_names = nullptr; }

Truce::Truce() noexcept { ++t_truces; }
Truce::~Truce() { --t_truces; }

int open_descriptors() {
  const Truce truce;
  DIR* const directory = ::opendir("/proc/self/fd");
  if (!directory) return -1;
  int count = -3;  // `.`, `..`, and the directory itself
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace squall::testing::faults

// ---- operator new.

namespace {

void* allocate(std::size_t size) {
  using namespace squall::testing::faults;
  auto& faults = t_allocations;
  if (faults.armed && t_truces == 0) {
    if (faults.after > 0) {
      --faults.after;
    } else if (faults.times > 0) {
      --faults.times;
      ++faults.hits;
      throw std::bad_alloc();
    }
  }
  void* const memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
// These never fail, but must match the replaced operator delete.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

// ---- The functions of libc. Each declares the sanitizers' own, which only a sanitized program has.

using squall::testing::faults::Call;

#define SQUALL_NEXT_AS(name, symbol)                                                               \
  extern "C" decltype(::name) __interceptor_##symbol __attribute__((weak));                        \
  static decltype(::name)* next_##name() noexcept {                                                \
    static auto* const function = squall::testing::faults::next(&__interceptor_##symbol, #symbol); \
    return function;                                                                               \
  }
#define SQUALL_NEXT(name) SQUALL_NEXT_AS(name, name)

SQUALL_NEXT(accept)
SQUALL_NEXT(accept4)
SQUALL_NEXT(bind)
SQUALL_NEXT(chmod)
SQUALL_NEXT(close)
SQUALL_NEXT(connect)
SQUALL_NEXT(epoll_create1)
SQUALL_NEXT(epoll_ctl)
SQUALL_NEXT(epoll_wait)
SQUALL_NEXT(eventfd)
SQUALL_NEXT(fchmod)
SQUALL_NEXT(fcntl)
SQUALL_NEXT(fork)
SQUALL_NEXT_AS(fstat, fstat64)
SQUALL_NEXT(getaddrinfo)
SQUALL_NEXT(getentropy)
SQUALL_NEXT(getpeername)
SQUALL_NEXT_AS(getrlimit, getrlimit64)
SQUALL_NEXT(getsockname)
SQUALL_NEXT(getsockopt)
SQUALL_NEXT(kill)
SQUALL_NEXT(listen)
SQUALL_NEXT_AS(lstat, lstat64)
SQUALL_NEXT(open)
SQUALL_NEXT(pipe)
SQUALL_NEXT(pipe2)
SQUALL_NEXT(poll)
SQUALL_NEXT(posix_spawnp)
SQUALL_NEXT_AS(pread, pread64)
SQUALL_NEXT(pthread_sigmask)
SQUALL_NEXT(read)
SQUALL_NEXT(recv)
SQUALL_NEXT(rename)
SQUALL_NEXT(send)
SQUALL_NEXT_AS(sendfile, sendfile64)
SQUALL_NEXT(sendmsg)
SQUALL_NEXT(setsockopt)
SQUALL_NEXT(shutdown)
SQUALL_NEXT(sigaction)
SQUALL_NEXT(sigprocmask)
SQUALL_NEXT(socket)
SQUALL_NEXT(splice)
SQUALL_NEXT_AS(stat, stat64)
SQUALL_NEXT(syscall)
SQUALL_NEXT(unlink)
SQUALL_NEXT(waitpid)
SQUALL_NEXT(write)
SQUALL_NEXT(writev)

#undef SQUALL_NEXT
#undef SQUALL_NEXT_AS

using squall::testing::faults::failed;
using squall::testing::faults::intercept;

extern "C" {

int accept(int fd, sockaddr* address, socklen_t* length) {
  const auto verdict = intercept(Call::accept, fd);
  return verdict.error ? failed(verdict.error) : next_accept()(fd, address, length);
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  const auto verdict = intercept(Call::accept, fd);
  return verdict.error ? failed(verdict.error) : next_accept4()(fd, address, length, flags);
}

int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  const auto verdict = intercept(Call::bind, fd);
  return verdict.error ? failed(verdict.error) : next_bind()(fd, address, length);
}

int chmod(const char* path, mode_t mode) noexcept {
  const auto verdict = intercept(Call::chmod);
  return verdict.error ? failed(verdict.error) : next_chmod()(path, mode);
}

int close(int fd) {
  const auto verdict = intercept(Call::close, fd);
  const int result = next_close()(fd);
  return verdict.error ? failed(verdict.error) : result;  // Linux has closed the descriptor in any case
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  const auto verdict = intercept(Call::connect, fd);
  return verdict.error ? failed(verdict.error) : next_connect()(fd, address, length);
}

int epoll_create1(int flags) noexcept {
  const auto verdict = intercept(Call::epoll_create1);
  return verdict.error ? failed(verdict.error) : next_epoll_create1()(flags);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  const auto verdict = intercept(Call::epoll_ctl, fd);
  return verdict.error ? failed(verdict.error) : next_epoll_ctl()(epoll, operation, fd, event);
}

int epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  const auto verdict = intercept(Call::epoll_wait, epoll);
  return verdict.error ? failed(verdict.error) : next_epoll_wait()(epoll, events, count, timeout);
}

int eventfd(unsigned int count, int flags) noexcept {
  const auto verdict = intercept(Call::eventfd);
  return verdict.error ? failed(verdict.error) : next_eventfd()(count, flags);
}

int fchmod(int fd, mode_t mode) noexcept {
  const auto verdict = intercept(Call::fchmod, fd);
  return verdict.error ? failed(verdict.error) : next_fchmod()(fd, mode);
}

int fcntl(int fd, int command, ...) {
  std::va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);  // as libc does, for every command
  va_end(arguments);
  // Some pollers find a closed descriptor only in this way.
  const Call poller_call = command == F_GETFD ? Call::poller_update : Call::fcntl;
  const auto verdict = intercept(Call::fcntl, poller_call, fd);
  return verdict.error ? failed(verdict.error) : next_fcntl()(fd, command, argument);
}

pid_t fork() noexcept {
  const auto verdict = intercept(Call::fork);
  return verdict.error ? failed(verdict.error) : next_fork()();
}

int fstat(int fd, struct stat* status) noexcept {
  const auto verdict = intercept(Call::fstat, fd);
  return verdict.error ? failed(verdict.error) : next_fstat()(fd, status);
}

int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  const auto verdict = intercept(Call::getaddrinfo);
  if (verdict.error) return verdict.error;
  const auto* const names = squall::testing::faults::t_names;
  if (!names) return next_getaddrinfo()(name, service, hints, result);
  // The results for all addresses in one list, which freeaddrinfo() frees.
  addrinfo** end = result;
  for (const char* address : names->addresses) {
    if (const int failed = next_getaddrinfo()(address, service, hints, end)) return failed;
    while (*end) end = &(*end)->ai_next;
  }
  return 0;
}

int getentropy(void* space, std::size_t size) {
  const auto verdict = intercept(Call::random);
  return verdict.error ? failed(verdict.error) : next_getentropy()(space, size);
}

int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  const auto verdict = intercept(Call::getpeername, fd);
  return verdict.error ? failed(verdict.error) : next_getpeername()(fd, address, length);
}

int getrlimit(__rlimit_resource_t resource, rlimit* limit) noexcept {
  const auto verdict = intercept(Call::getrlimit);
  return verdict.error ? failed(verdict.error) : next_getrlimit()(resource, limit);
}

int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  const auto verdict = intercept(Call::getsockname, fd);
  return verdict.error ? failed(verdict.error) : next_getsockname()(fd, address, length);
}

int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  const auto verdict = intercept(Call::getsockopt, fd);
  return verdict.error ? failed(verdict.error) : next_getsockopt()(fd, level, option, value, length);
}

int kill(pid_t pid, int signal) noexcept {
  const auto verdict = intercept(Call::kill);
  return verdict.error ? failed(verdict.error) : next_kill()(pid, signal);
}

int listen(int fd, int backlog) noexcept {
  const auto verdict = intercept(Call::listen, fd);
  return verdict.error ? failed(verdict.error) : next_listen()(fd, backlog);
}

int lstat(const char* path, struct stat* status) noexcept {
  const auto verdict = intercept(Call::lstat);
  return verdict.error ? failed(verdict.error) : next_lstat()(path, status);
}

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const auto verdict = intercept(std::string_view(path) == "/dev/urandom" ? Call::random : Call::open);
  return verdict.error ? failed(verdict.error) : next_open()(path, flags, mode);
}

int pipe(int* ends) noexcept {
  const auto verdict = intercept(Call::pipe);
  return verdict.error ? failed(verdict.error) : next_pipe()(ends);
}

int pipe2(int* ends, int flags) noexcept {
  const auto verdict = intercept(Call::pipe);
  return verdict.error ? failed(verdict.error) : next_pipe2()(ends, flags);
}

int poll(pollfd* descriptors, nfds_t count, int timeout) {
  const auto verdict = intercept(Call::poll);
  return verdict.error ? failed(verdict.error) : next_poll()(descriptors, count, timeout);
}

int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const* argv, char* const* environment) {
  const auto verdict = intercept(Call::posix_spawnp);
  return verdict.error ? verdict.error
                       : next_posix_spawnp()(pid, file, actions, attributes, argv, environment);
}

ssize_t pread(int fd, void* space, std::size_t size, off_t offset) {
  const auto verdict = intercept(Call::pread, fd);
  return verdict.error ? failed(verdict.error)
                       : next_pread()(fd, space, std::min(size, verdict.at_most), offset);
}

int pthread_sigmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  const auto verdict = intercept(Call::pthread_sigmask);
  return verdict.error ? verdict.error : next_pthread_sigmask()(how, set, before);
}

ssize_t read(int fd, void* space, std::size_t size) {
  const auto verdict = intercept(Call::read, fd);
  return verdict.error ? failed(verdict.error) : next_read()(fd, space, std::min(size, verdict.at_most));
}

ssize_t recv(int fd, void* space, std::size_t size, int flags) {
  const auto verdict = intercept(Call::recv, fd);
  return verdict.error ? failed(verdict.error)
                       : next_recv()(fd, space, std::min(size, verdict.at_most), flags);
}

int rename(const char* from, const char* to) noexcept {
  const auto verdict = intercept(Call::rename);
  return verdict.error ? failed(verdict.error) : next_rename()(from, to);
}

ssize_t send(int fd, const void* data, std::size_t size, int flags) {
  const auto verdict = intercept(Call::send, fd);
  return verdict.error ? failed(verdict.error)
                       : next_send()(fd, data, std::min(size, verdict.at_most), flags);
}

ssize_t sendfile(int to, int from, off_t* offset, std::size_t size) noexcept {
  const auto verdict = intercept(Call::sendfile, to);
  return verdict.error ? failed(verdict.error)
                       : next_sendfile()(to, from, offset, std::min(size, verdict.at_most));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const auto verdict = intercept(Call::sendmsg, fd);
  if (verdict.error) return failed(verdict.error);
  // Shortened to the permitted number of bytes.
  std::array<iovec, 16> pieces{};
  if (message->msg_iovlen > pieces.size()) std::abort();
  std::size_t left = verdict.at_most;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    pieces[i] = message->msg_iov[i];
    pieces[i].iov_len = std::min(pieces[i].iov_len, left);
    left -= pieces[i].iov_len;
  }
  msghdr cut = *message;
  cut.msg_iov = pieces.data();
  return next_sendmsg()(fd, &cut, flags);
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  const auto verdict = intercept(Call::setsockopt, fd);
  return verdict.error ? failed(verdict.error) : next_setsockopt()(fd, level, option, value, length);
}

int shutdown(int fd, int how) noexcept {
  const auto verdict = intercept(Call::shutdown, fd);
  return verdict.error ? failed(verdict.error) : next_shutdown()(fd, how);
}

int sigaction(int signal, const struct sigaction* action, struct sigaction* before) noexcept {
  const auto verdict = intercept(Call::sigaction);
  return verdict.error ? failed(verdict.error) : next_sigaction()(signal, action, before);
}

int sigprocmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  const auto verdict = intercept(Call::sigprocmask);
  return verdict.error ? failed(verdict.error) : next_sigprocmask()(how, set, before);
}

int socket(int domain, int type, int protocol) noexcept {
  const auto verdict = intercept(Call::socket);
  return verdict.error ? failed(verdict.error) : next_socket()(domain, type, protocol);
}

// Faults apply to the descriptor that bytes come from.
ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t size, unsigned flags) {
  const auto verdict = intercept(Call::splice, in);
  if (verdict.error) return failed(verdict.error);
  return next_splice()(in, in_offset, out, out_offset, std::min(size, verdict.at_most), flags);
}

int stat(const char* path, struct stat* status) noexcept {
  const auto verdict = intercept(Call::stat);
  return verdict.error ? failed(verdict.error) : next_stat()(path, status);
}

// The calls of Squall for which older versions of libc have no function.
long syscall(long number, ...) noexcept {
  std::va_list list;
  va_start(list, number);
  std::array<long, 6> arguments{};
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_pidfd_open || number == SYS_pidfd_send_signal) {
    const Call call = number == SYS_pidfd_open ? Call::pidfd_open : Call::pidfd_send_signal;
    if (const auto verdict = intercept(call); verdict.error) return failed(verdict.error);
  }
  return next_syscall()(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                        arguments[5]);
}

int unlink(const char* path) noexcept {
  const auto verdict = intercept(Call::unlink);
  return verdict.error ? failed(verdict.error) : next_unlink()(path);
}

pid_t waitpid(pid_t pid, int* status, int options) {
  const auto verdict = intercept(Call::waitpid);
  return verdict.error ? failed(verdict.error) : next_waitpid()(pid, status, options);
}

ssize_t write(int fd, const void* data, std::size_t size) {
  const auto verdict = intercept(Call::write, fd);
  return verdict.error ? failed(verdict.error) : next_write()(fd, data, std::min(size, verdict.at_most));
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  const auto verdict = intercept(Call::writev, fd);
  return verdict.error ? failed(verdict.error) : next_writev()(fd, pieces, count);
}

}  // extern "C"
