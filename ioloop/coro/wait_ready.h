#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <cassert>
#include <coroutine>

namespace squall {

namespace detail {
class ReadyWaits;
}

// Awaiter of wait_readable() and wait_writable(). May be moved until it is awaited.
class [[nodiscard]] ReadyAwaiter {
 public:
  ReadyAwaiter(IOLoop& loop, int fd, Events wanted) noexcept : loop_(loop), fd_(fd), wanted_(wanted) {}
  ReadyAwaiter(ReadyAwaiter&& other) noexcept : loop_(other.loop_), fd_(other.fd_), wanted_(other.wanted_) {
    assert(!other.waits_ && !other.resume_.linked() && "this wait has begun");
  }
  ReadyAwaiter& operator=(ReadyAwaiter&&) = delete;
  ~ReadyAwaiter();

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine);
  void await_resume() const noexcept {}

 private:
  friend class detail::ReadyWaits;

  LoopRef loop_;
  int fd_;
  Events wanted_;
  detail::ReadyWaits* waits_ = nullptr;  // null unless it is linked there
  LoopHook resume_;                      // linked once it is in the ready queue
};

// co_await wait_readable(fd): waits until a read of `fd` would not block, for descriptors that another
// library reads. An error or a hang-up ends the wait too. One task may wait to read and another one to write
// at the same time.
//
// Thread:    the loop's thread.
// Lifetime:  `fd` must stay open meanwhile; it is registered only while a task waits.
// Errors:    std::invalid_argument if `fd` has a handler or such a waiter already, std::system_error if the
//            poller refuses it (a regular file).
inline ReadyAwaiter wait_readable(int fd) { return {IOLoop::current(), fd, Events::read}; }
inline ReadyAwaiter wait_writable(int fd) { return {IOLoop::current(), fd, Events::write}; }

}  // namespace squall
