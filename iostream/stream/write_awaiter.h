#pragma once

#include <squall/ioloop/loop/loop_hook.h>

#include <coroutine>
#include <cstdint>

namespace squall {

class IOLoop;
class IOStream;

// A write that may wait: what IOStream::write() and flush() return. The bytes are queued already, and are
// sent whether it is awaited, dropped, or destroyed while it waits.
class WriteAwaiter {
 public:
  WriteAwaiter(const WriteAwaiter&) = delete;
  WriteAwaiter& operator=(const WriteAwaiter&) = delete;
  ~WriteAwaiter();

  bool await_ready();
  void await_suspend(std::coroutine_handle<> writer);
  // Throws StreamClosedError if the stream closed before the kernel had taken all.
  void await_resume();

 private:
  friend class IOStream;
  WriteAwaiter(IOStream& stream, std::uint64_t target) noexcept : stream_(&stream), target_(target) {}

  IOStream* stream_;      // null once the stream is gone
  std::uint64_t target_;  // done when the kernel has taken so many bytes
  LoopHook resume_;       // linked once it is in the loop's ready queue
  WriteAwaiter* next_ = nullptr;
  bool waiting_ = false;  // in the stream's list
};

}  // namespace squall
