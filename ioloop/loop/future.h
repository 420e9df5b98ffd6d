#pragma once

#include <squall/ioloop/loop/future_state.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/waiter.h>

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace squall {

template <class T>
class Future;

// The writing end of a value that code without coroutines provides later. Future is the reading end.
//
// Setting the value never resumes the reader in place: it resumes in a later turn. Setting returns false and
// does nothing if a value was set before or the future is gone. If the promise is destroyed before it was
// set, the reader gets BrokenPromise.
//
// Errors:    std::logic_error from a promise that was moved from. An error that is never read, because the
//            future was dropped before, is logged (CON-03).
// Thread:    the thread of the loop that the reader waits on (CON-01). From other threads use
//            IOLoop::add_callback() or from_callback().
template <class T = void>
class Promise {
 public:
  Promise() : state_(new detail::FutureState<T>) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
      given_ = other.given_;
    }
    return *this;
  }
  ~Promise() { abandon(); }

  // Call it once: a second call throws std::logic_error.
  Future<T> get_future();

  template <class... Value>
  requires(sizeof...(Value) == (std::is_void_v<T> ? 0 : 1))
  bool set_value(Value&&... value) {
    return set([&] { state_->result.template emplace<1>(std::forward<Value>(value)...); });
  }
  // If cancelled(), logs the error and returns false.
  bool set_exception(std::exception_ptr error) {
    if (cancelled()) detail::log_after_cancel(error);
    return set([&] {
      state_->result.template emplace<2>(std::move(error));
      state_->unheard = true;
    });
  }

  // True if the future was taken and then destroyed: setting does nothing (CON-02).
  bool cancelled() const noexcept { return given_ && state_ && state_->owners == 1 && !state_->done(); }

 private:
  template <class Emplace>
  bool set(Emplace&& emplace) {
    if (!state_) throw_logic_error("this Promise was moved from");
    if (state_->done() || cancelled()) return false;
    emplace();
    state_->waiting.wake_all();
    return true;
  }
  void abandon() noexcept {
    if (state_) set([&] { state_->result.template emplace<2>(nullptr); });
  }

  detail::FutureStateRef<T> state_;
  bool given_ = false;
};

// The reading end of a Promise: awaited once, as `co_await std::move(future)` or `co_await function()`. If
// the value is set already, the coroutine does not suspend (GEN-03). A future may be destroyed at any time.
// A future that was moved from or awaited throws std::logic_error.
template <class T = void>
class [[nodiscard]] Future {
  static_assert(!std::is_reference_v<T>, "for a reference, use a pointer or std::reference_wrapper");

 public:
  Future(Future&&) noexcept = default;
  Future& operator=(Future&&) noexcept = default;

  // A value or an error was set. False once the future was awaited or moved from.
  bool done() const noexcept { return state_ && state_->done(); }

  // co_await future.wait(): waits until done(), and does not take the value or error. The future may be
  // destroyed meanwhile.
  class Wait {
   public:
    explicit Wait(detail::FutureStateRef<T> state) noexcept
        : state_(std::move(state)), waiter_(IOLoop::current()) {}
    bool await_ready() const noexcept { return state_->done(); }
    void await_suspend(std::coroutine_handle<> reader) noexcept { waiter_.wait_in(state_->waiting, reader); }
    void await_resume() const noexcept {}

   protected:
    detail::FutureStateRef<T> state_;

   private:
    Waiter waiter_;
  };
  class Awaiter : public Wait {
   public:
    using Wait::Wait;
    T await_resume() { return this->state_->take(); }
  };
  Wait wait() const {
    check();
    return Wait(state_);
  }
  Awaiter operator co_await() && {
    check();
    return Awaiter(std::move(state_));
  }

  // Returns the value or throws the error, once. Throws std::logic_error unless done().
  T get() && {
    check();
    if (!done()) throw std::logic_error("get() of a Future that is not done");
    return detail::FutureStateRef<T>(std::move(state_))->take();
  }

  // Calls `callback` with this future once it is done, always in a later turn of the loop (IOL-43; unlike
  // CON-04). Exceptions from it are logged with the place of this call. The loop owns the callback.
  template <std::invocable<Future<T>> Callback>
  void on_done(Callback callback, std::source_location where = std::source_location::current()) &&;

 private:
  friend class Promise<T>;
  explicit Future(detail::FutureStateRef<T> state) noexcept : state_(std::move(state)) {}
  void check() const {
    if (!state_) [[unlikely]]
      throw_logic_error("this Future was moved from or awaited before");
  }

  detail::FutureStateRef<T> state_;
};

template <class T>
Future<T> Promise<T>::get_future() {
  if (!state_) throw_logic_error("this Promise was moved from");
  if (std::exchange(given_, true)) throw std::logic_error("get_future() was called twice");
  return Future<T>(state_);
}

namespace detail {

template <class T, class Callback>
Task<> call_when_done(Future<T> future, Callback callback) {
  if (future.done()) {
    co_await moment();
  } else {
    co_await future.wait();
  }
  std::invoke(std::move(callback), std::move(future));
}

}  // namespace detail

template <class T>
template <std::invocable<Future<T>> Callback>
void Future<T>::on_done(Callback callback, std::source_location where) && {
  detail::refuse_coroutine<Callback, Future<T>>();
  check();
  IOLoop::current().spawn(detail::call_when_done(std::move(*this), std::move(callback)), where);
}

}  // namespace squall
