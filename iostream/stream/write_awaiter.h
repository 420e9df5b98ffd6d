#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <cassert>
#include <coroutine>
#include <cstdint>

namespace squall {

namespace detail {
class StreamWriter;
}

// A write that may wait: the result of IOStream::write() and flush().
//
// Lifetime:  borrows the stream, which may be destroyed while the write waits. The bytes are queued already,
//            and are sent whether the awaiter is awaited, dropped, or destroyed while it waits. May be moved
//            until it is awaited.
class WriteAwaiter : public ListNode<> {
 public:
  static constexpr bool kMayBeDropped = true;
  // Made by IOStream. Ends when the kernel has taken `target` bytes since the stream began.
  WriteAwaiter(detail::StreamWriter& writer, std::uint64_t target) noexcept
      : writer_(&writer), target_(target) {}
  WriteAwaiter(WriteAwaiter&& other) noexcept : writer_(other.writer_), target_(other.target_) {
    assert(!other.linked() && !other.resume_.linked() && "this write has begun to wait");
  }
  WriteAwaiter& operator=(WriteAwaiter&&) = delete;

  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  // Throws StreamClosedError if the stream closed before the kernel had taken all bytes.
  void await_resume();

 private:
  friend class detail::StreamWriter;
  using ListNode::linked;  // in the list of the writes that wait
  using ListNode::take_place_of;
  using ListNode::unlink;

  detail::StreamWriter* writer_;  // null once the stream is gone
  std::uint64_t target_;
  LoopHook resume_;  // linked once it is in the loop's ready queue
};

}  // namespace squall
