#pragma once

#include <squall/ioloop/loop/descriptor_table.h>

#include <utility>

namespace squall::detail {

// A function object that is called for a descriptor and owned by its registration. It may remove its own
// registration, and is then destroyed after it has returned.
class HandlerClosure {
 public:
  virtual ~HandlerClosure() = default;

  // The handler to register in the descriptor table.
  EventHandler handler() noexcept { return {&call, this}; }
  // The closure of a registration; null if the handler is not a closure.
  static HandlerClosure* of(EventHandler handler) noexcept {
    return handler.function == &call ? static_cast<HandlerClosure*>(handler.context) : nullptr;
  }
  // Destroys the closure, or marks it to be destroyed when its present call returns.
  void release() noexcept {
    if (running_) {
      released_ = true;
    } else {
      delete this;
    }
  }

 private:
  virtual void run(Events events) = 0;

  static void call(void* context, Events events) {
    struct Running {
      explicit Running(HandlerClosure& closure) noexcept : closure(closure) { closure.running_ = true; }
      ~Running() {
        closure.running_ = false;
        if (closure.released_) delete &closure;
      }
      HandlerClosure& closure;
    } running(*static_cast<HandlerClosure*>(context));
    running.closure.run(events);
  }

  bool running_ = false;
  bool released_ = false;
};

template <class Function>
class HandlerClosureOf final : public HandlerClosure {
 public:
  HandlerClosureOf(int fd, Function function) : fd_(fd), function_(std::move(function)) {}

 private:
  void run(Events events) override { function_(fd_, events); }

  int fd_;
  Function function_;
};

}  // namespace squall::detail
