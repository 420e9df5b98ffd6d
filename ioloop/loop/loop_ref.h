#pragma once

#include <cstddef>

namespace squall {

class IOLoop;

// An object's reference to its loop. The object may outlive the loop.
//
// After the destructor of the loop it refers to the remains of the loop: an IOLoop that never runs. Timers,
// handlers and hooks are removed from the remains as from a loop. New callbacks and timers are destroyed
// uncalled. So the object needs no check, and may be destroyed before or after its loop.
//
// Thread:    the loop's thread; after the end of that thread, one thread at a time.
class LoopRef {
 public:
  LoopRef(IOLoop& loop) noexcept;  // NOLINT(google-explicit-constructor): converts as a reference does
  LoopRef(const LoopRef& other) noexcept : target_(other.target_) { ++target_->references; }
  LoopRef& operator=(const LoopRef& other) noexcept {
    ++other.target_->references;
    release();
    target_ = other.target_;
    return *this;
  }
  ~LoopRef() { release(); }

  IOLoop& operator*() const noexcept { return *target_->loop; }
  IOLoop* operator->() const noexcept { return target_->loop; }

 private:
  friend class IOLoop;
  struct Target {
    IOLoop* loop;
    std::size_t references = 1;  // the loop has one of them
  };

  void release() noexcept {
    if (--target_->references == 0) destroy_remains(target_);
  }
  static void destroy_remains(Target* target) noexcept;

  Target* target_;
};

}  // namespace squall
