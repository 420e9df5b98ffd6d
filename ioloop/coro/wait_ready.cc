#include <squall/ioloop/coro/wait_ready.h>

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace squall {
namespace detail {

// The waiters of one descriptor: the context of its registration.
class ReadyWaits : public Pooled {
 public:
  ReadyWaits(IOLoop& loop, int fd) noexcept : loop_(loop), fd_(fd) {}

  static ReadyWaits* of(EventHandler handler) noexcept {
    return handler.function == &dispatch ? static_cast<ReadyWaits*>(handler.context) : nullptr;
  }
  EventHandler handler() noexcept { return {&dispatch, this}; }

  ReadyAwaiter*& place(Events wanted) noexcept { return wanted == Events::read ? reader_ : writer_; }
  Events wanted() const noexcept {
    return (reader_ ? Events::read : Events::none) | (writer_ ? Events::write : Events::none);
  }

  // `awaiter` no longer waits. Destroys this object if it was the last awaiter.
  void leave(ReadyAwaiter& awaiter) noexcept {
    place(awaiter.wanted_) = nullptr;
    awaiter.waits_ = nullptr;
    if (wanted() == Events::none) {
      loop_->remove_handler(fd_);
      delete this;
      return;
    }
    try {
      loop_->update_handler(fd_, wanted());
    } catch (const std::exception&) {
      // The kernel may report events that no coroutine waits for.
    }
  }

 private:
  static void dispatch(void* context, Events events) {
    auto* self = static_cast<ReadyWaits*>(context);
    // Resumes through the ready queue: a coroutine that resumed here could destroy the other coroutine and
    // this object.
    ReadyAwaiter* const reader = has(events, Events::read) ? self->reader_ : nullptr;
    ReadyAwaiter* const writer = has(events, Events::write) ? self->writer_ : nullptr;
    if (reader) self->wake(*reader);
    if (writer) self->wake(*writer);
    if (reader) self->leave(*reader);
    if (writer) self->leave(*writer);
  }
  void wake(ReadyAwaiter& awaiter) noexcept { loop_->call_soon(awaiter.resume_); }

  LoopRef loop_;
  int fd_;
  ReadyAwaiter* reader_ = nullptr;
  ReadyAwaiter* writer_ = nullptr;
};

}  // namespace detail

using detail::ReadyWaits;

ReadyAwaiter::~ReadyAwaiter() {
  if (waits_) waits_->leave(*this);
}

void ReadyAwaiter::await_suspend(std::coroutine_handle<> coroutine) {
  resume_.set(coroutine);
  if (ReadyWaits* waits = ReadyWaits::of(loop_->handler_of(fd_))) {
    if (waits->place(wanted_))
      throw std::invalid_argument(fmt::format("another coroutine waits for fd {} already", fd_));
    loop_->update_handler(fd_, waits->wanted() | wanted_);
    waits->place(wanted_) = this;
    waits_ = waits;
    return;
  }
  auto waits = std::make_unique<ReadyWaits>(*loop_, fd_);
  loop_->add_handler(fd_, wanted_, waits->handler());
  waits->place(wanted_) = this;
  waits_ = waits.release();
}

}  // namespace squall
