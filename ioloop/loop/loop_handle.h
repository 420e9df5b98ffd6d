#pragma once

#include <squall/ioloop/loop/inbox.h>

#include <memory>
#include <utility>

namespace squall {

// The way to a loop for a thread that may outlive it: IOLoop::handle(). Copies cost a reference count.
//
// Thread:    any.
class LoopHandle {
 public:
  explicit LoopHandle(std::shared_ptr<Inbox> inbox) noexcept : inbox_(std::move(inbox)) {}

  // As IOLoop::add_callback(), or false if the loop is gone: `callback` is then destroyed on this thread
  // (IOL-05).
  bool add_callback(Callback&& callback) const { return inbox_->add(std::move(callback)); }

 private:
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace squall
