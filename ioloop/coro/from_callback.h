#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>

#include <atomic>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>

namespace squall {

namespace detail {

// What the coroutine in from_callback() and its Completions share. The result belongs to whoever has claimed
// it, until the loop's thread has seen that it is complete.
template <class T>
class CallbackState {
 public:
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit CallbackState(IOLoop& loop) noexcept : loop_(loop) {}

  // ---- The coroutine's side, on the loop's thread.

  // False if there is a result already.
  bool wait(std::coroutine_handle<> coroutine) noexcept {
    const std::lock_guard lock(mutex_);
    if (stage_ == Stage::complete) return false;
    coroutine_ = coroutine;
    stage_ = Stage::waiting;
    return true;
  }
  T take() {
    if (result_.index() == 2) std::rethrow_exception(std::get<2>(std::move(result_)));
    if constexpr (!std::is_void_v<T>) return std::get<1>(std::move(result_));
  }
  // From now on nothing reaches the loop, which may be gone.
  void leave() noexcept {
    const std::lock_guard lock(mutex_);
    stage_ = Stage::left;
  }

  // ---- The completions' side, on any thread.

  template <std::size_t kAlternative, class... Value>
  static bool complete(const std::shared_ptr<CallbackState>& self, Value&&... value) {
    {
      const std::lock_guard lock(self->mutex_);
      if (self->claimed_ || self->stage_ == Stage::left) return false;
      self->claimed_ = true;
    }
    // Without the lock: this may be any code.
    try {
      self->result_.template emplace<kAlternative>(std::forward<Value>(value)...);
    } catch (...) {
      self->result_.template emplace<2>(std::current_exception());
    }
    const std::lock_guard lock(self->mutex_);
    if (self->stage_ == Stage::left) return false;
    const bool waits = self->stage_ == Stage::waiting;
    // With the lock: the loop outlives the coroutine, which cannot leave meanwhile.
    if (waits) self->loop_.add_callback([self] { self->resume(); });
    self->stage_ = Stage::complete;
    return true;
  }

  std::atomic<int> completions = 0;

 private:
  enum class Stage { starting, waiting, complete, left };

  void resume() {
    {
      const std::lock_guard lock(mutex_);
      if (stage_ == Stage::left) return;
    }
    loop_.resume(coroutine_);
  }

  IOLoop& loop_;
  std::mutex mutex_;
  Stage stage_ = Stage::starting;
  bool claimed_ = false;
  std::coroutine_handle<> coroutine_;
  std::variant<std::monostate, Stored, std::exception_ptr> result_;
};

}  // namespace detail

// Ends a from_callback(). Copies stand for the same wait, so that success and failure can be two callbacks:
// the first call counts, later ones return false. So does one that nobody waits for any longer.
//
// If the last copy goes without any of them having been called, BrokenPromise is thrown to the one that
// waits.
//
// Thread:    any; and at any time, even when the coroutine and its loop are gone. The value is then destroyed
//            by the thread that brought it.
template <class T = void>
class Completion {
 public:
  explicit Completion(std::shared_ptr<detail::CallbackState<T>> state) noexcept : state_(std::move(state)) {
    join();
  }
  Completion(const Completion& other) noexcept : state_(other.state_) { join(); }
  Completion(Completion&& other) noexcept = default;
  Completion& operator=(Completion other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Completion() {
    if (state_ && state_->completions.fetch_sub(1, std::memory_order_acq_rel) == 1)
      set_exception(std::make_exception_ptr(BrokenPromise()));
  }

  template <class... Value>
  requires(sizeof...(Value) == (std::is_void_v<T> ? 0 : 1))
  bool set_value(Value&&... value) const {
    return detail::CallbackState<T>::template complete<1>(state_, std::forward<Value>(value)...);
  }
  bool set_exception(std::exception_ptr error) const {
    return detail::CallbackState<T>::template complete<2>(state_, std::move(error));
  }
  // set_value(), so that a Completion is a callback itself.
  template <class... Value>
  requires(sizeof...(Value) == (std::is_void_v<T> ? 0 : 1))
  void operator()(Value&&... value) const {
    set_value(std::forward<Value>(value)...);
  }

 private:
  void join() noexcept {
    if (state_) state_->completions.fetch_add(1, std::memory_order_relaxed);
  }

  std::shared_ptr<detail::CallbackState<T>> state_;
};

// What from_callback() returns.
template <class T, class Start>
class [[nodiscard]] FromCallbackAwaiter {
 public:
  FromCallbackAwaiter(IOLoop& loop, Start start)
      : state_(std::make_shared<detail::CallbackState<T>>(loop)), start_(std::move(start)) {}
  FromCallbackAwaiter(FromCallbackAwaiter&&) noexcept = default;
  FromCallbackAwaiter& operator=(FromCallbackAwaiter&&) = delete;
  ~FromCallbackAwaiter() {
    if (state_) state_->leave();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
    try {
      std::invoke(std::move(start_), Completion<T>(state_));
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
    return state_->wait(coroutine);
  }
  T await_resume() {
    if (error_) std::rethrow_exception(std::move(error_));
    return state_->take();
  }

 private:
  std::shared_ptr<detail::CallbackState<T>> state_;
  std::exception_ptr error_;
  [[no_unique_address]] Start start_;
};

// co_await from_callback<T>(start): makes an awaitable of an interface that takes a callback.
//
//     auto start = [&](Completion<int> done) { resolver.lookup(name, std::move(done)); };
//     const int address = co_await from_callback<int>(start);
//
// `start` is called once, when it is awaited, with a Completion<T> that it hands to whatever will call it, on
// any thread. If that happens before `start` returns, no turn of the loop passes; else the coroutine goes on
// in a later turn. It may be destroyed while it waits: a completion that comes after that does nothing.
//
// Errors:    what `start` throws; what Completion::set_exception() was given; BrokenPromise if the callback
//            will never come.
// Costs:     one allocation, and a mutex that is free.
template <class T = void, class Start>
FromCallbackAwaiter<T, std::decay_t<Start>> from_callback(Start&& start) {
  return {IOLoop::current(), std::forward<Start>(start)};
}

}  // namespace squall
