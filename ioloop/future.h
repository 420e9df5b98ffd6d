#pragma once

#include <squall/ioloop/errors.h>
#include <squall/ioloop/frame_pool.h>
#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/waiter.h>

#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

namespace squall {

template <class T>
class Future;

namespace detail {

struct Nothing {};
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Nothing, T>;

// What a Promise and its Future share.
template <class T>
struct FutureState : Pooled {
  std::variant<std::monostate, Stored<T>, std::exception_ptr> result;
  WaiterList waiting;
  int owners = 0;

  bool done() const noexcept { return result.index() != 0; }
};

template <class T>
class FutureStateRef {
 public:
  FutureStateRef() noexcept = default;
  explicit FutureStateRef(FutureState<T>* state) noexcept : state_(state) { ++state_->owners; }
  FutureStateRef(const FutureStateRef& other) noexcept : state_(other.state_) {
    if (state_) ++state_->owners;
  }
  FutureStateRef(FutureStateRef&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  FutureStateRef& operator=(FutureStateRef other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~FutureStateRef() {
    if (state_ && --state_->owners == 0) delete state_;
  }
  FutureState<T>* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  FutureState<T>* state_ = nullptr;
};

}  // namespace detail

// A value that code without coroutines will give later: the writing end. Its Future is the reading end.
//
// Setting never resumes the reader in place, which goes on in a later turn. A second setting is ignored and
// returns false. A promise that is destroyed unset gives BrokenPromise, which only a reader makes.
//
// Thread:    one, that of the loop the reader waits on. From elsewhere, go through IOLoop::add_callback().
template <class T = void>
class Promise {
 public:
  Promise() : state_(new detail::FutureState<T>) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~Promise() { abandon(); }

  // Once. Throws std::logic_error on the second call.
  Future<T> get_future();

  template <class... Value>
  requires(sizeof...(Value) == (std::is_void_v<T> ? 0 : 1))
  bool set_value(Value&&... value) {
    return set([&] { state_->result.template emplace<1>(std::forward<Value>(value)...); });
  }
  bool set_exception(std::exception_ptr error) {
    return set([&] { state_->result.template emplace<2>(std::move(error)); });
  }

 private:
  template <class Emplace>
  bool set(Emplace&& emplace) {
    if (state_->done()) return false;
    emplace();
    state_->waiting.wake_all();
    return true;
  }
  void abandon() noexcept {
    if (state_) set_exception(nullptr);
  }

  detail::FutureStateRef<T> state_;
  bool given_ = false;
};

// The reading end: awaited once, as `co_await std::move(future)` or `co_await function()`. If the value is
// there already, without a trip through the loop (GEN-03). Dropping it, waiting or not, is harmless.
template <class T = void>
class [[nodiscard]] Future {
 public:
  Future(Future&&) noexcept = default;
  Future& operator=(Future&&) noexcept = default;

  // There is a value or an error.
  bool done() const noexcept { return state_->done(); }

  class Awaiter {
   public:
    explicit Awaiter(detail::FutureStateRef<T> state) noexcept
        : state_(std::move(state)), waiter_(IOLoop::current()) {}
    bool await_ready() const noexcept { return state_->done(); }
    void await_suspend(std::coroutine_handle<> reader) noexcept { waiter_.wait_in(state_->waiting, reader); }
    T await_resume() {
      if (state_->result.index() == 2) {
        const std::exception_ptr& error = std::get<2>(state_->result);
        if (!error) throw BrokenPromise();
        std::rethrow_exception(error);
      }
      if constexpr (!std::is_void_v<T>) return std::move(std::get<1>(state_->result));
    }

   private:
    detail::FutureStateRef<T> state_;
    Waiter waiter_;
  };
  Awaiter operator co_await() && { return Awaiter(std::move(state_)); }

 private:
  friend class Promise<T>;
  explicit Future(detail::FutureStateRef<T> state) noexcept : state_(std::move(state)) {}

  detail::FutureStateRef<T> state_;
};

template <class T>
Future<T> Promise<T>::get_future() {
  if (std::exchange(given_, true)) throw std::logic_error("get_future() was called twice");
  return Future<T>(state_);
}

}  // namespace squall
