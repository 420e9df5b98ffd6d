#pragma once

#include <squall/ioloop/loop/inbox.h>

#include <memory>
#include <utility>

namespace squall {

// Adds callbacks to a loop from threads that may outlive it; made by IOLoop::handle(). A copy costs a
// reference count.
//
// Thread:    any.
class LoopHandle {
 public:
  explicit LoopHandle(std::shared_ptr<Inbox> inbox) noexcept : inbox_(std::move(inbox)) {}

  // As IOLoop::add_callback(), but returns false if the loop is gone; the caller then keeps `callback`
  // (IOL-05).
  bool add_callback(Callback&& callback) const { return inbox_->add(std::move(callback)); }

  // Of the same loop. Another loop at the same address is another one.
  bool operator==(const LoopHandle&) const noexcept = default;

 private:
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace squall
