#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <utility>

namespace squall {

// Whether the end of the peer's bytes calls a stream's close callback.
enum class PeerEnd : bool { calls, does_not_call };

namespace detail {

// The close callback of a stream: called once, through the loop's ready queue.
//
// Lifetime:  destroying the notice withdraws the call.
class CloseNotice : public Pooled {
 public:
  CloseNotice(Callback callback, PeerEnd at_end) noexcept : callback_(std::move(callback)), at_end_(at_end) {}

  // True until the callback is queued.
  bool is_waiting() const noexcept { return is_waiting_; }
  PeerEnd at_end() const noexcept { return at_end_; }
  // Queues the callback, the first time.
  void call_soon(IOLoop& loop) noexcept {
    if (!std::exchange(is_waiting_, false)) return;
    call_.set(&call, this);
    loop.call_soon(call_);
  }

 private:
  static void call(void* self) {
    // The callback may destroy the stream, and with it this notice.
    Callback callback = std::move(static_cast<CloseNotice*>(self)->callback_);
    callback();
  }

  Callback callback_;
  LoopHook call_;
  PeerEnd at_end_;
  bool is_waiting_ = true;
};

}  // namespace detail
}  // namespace squall
