#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <utility>

namespace squall::detail {

// The close callback of a stream: called once, through the loop's ready queue.
//
// Lifetime:  destroying the notice withdraws the call.
class CloseNotice : public Pooled {
 public:
  explicit CloseNotice(Callback callback) noexcept : callback_(std::move(callback)) {}

  // True until the callback is queued.
  bool is_waiting() const noexcept { return is_waiting_; }
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
  bool is_waiting_ = true;
};

}  // namespace squall::detail
