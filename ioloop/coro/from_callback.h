#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>

namespace squall {

namespace detail {

// The state that the coroutine in from_callback() shares with its Completions. The first Completion that is
// called claims the result and writes it; the loop's thread reads it once it is complete.
//
//   stage    | waits for                          | ended by             | next
//   starting | `start` to return                  | wait()               | waiting
//            |                                    | the first Completion | complete
//   waiting  | a Completion                       | the first Completion | complete
//            |                                    | leave()              | left
//   complete | the coroutine to take the result   | leave()              | left
//   left     | nothing: Completions do nothing    | -                    | -
template <class T>
class CallbackState {
 public:
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit CallbackState(IOLoop& loop) noexcept : loop_(loop), handle_(loop.handle()) {}

  // ---- The coroutine's side, on the loop's thread.

  // False if the result is complete already.
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
    // Without the lock, because it runs constructors of T.
    try {
      self->result_.template emplace<kAlternative>(std::forward<Value>(value)...);
    } catch (...) {
      self->result_.template emplace<2>(std::current_exception());
    }
    const std::lock_guard lock(self->mutex_);
    if (self->stage_ == Stage::left) return false;
    const bool waits = self->stage_ == Stage::waiting;
    // With the lock, so that the coroutine cannot leave meanwhile.
    if (waits) self->handle_.add_callback([self] { self->resume(); });
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

  IOLoop& loop_;             // used in its own callbacks only: it may be gone
  const LoopHandle handle_;  // adds no callback to a loop that is gone
  std::mutex mutex_;
  Stage stage_ = Stage::starting;
  bool claimed_ = false;
  std::coroutine_handle<> coroutine_;
  std::variant<std::monostate, Stored, std::exception_ptr> result_;
};

}  // namespace detail

// Completes a from_callback(). Copies complete the same wait, so that success and failure can be two
// callbacks: the first call counts. Later calls, and calls after the coroutine was destroyed, do nothing and
// return false.
//
// If the last copy is destroyed before any was called, the coroutine gets BrokenPromise.
//
// Thread:    any, also after the end of the coroutine and its loop; the value is then destroyed on the
//            calling thread.
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
  // As set_value(), so that a Completion can be used as a callback.
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

// Awaiter of from_callback().
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

// co_await from_callback<T>(start): awaits a function that takes a callback.
//
//     auto start = [&](Completion<int> done) { resolver.lookup(name, std::move(done)); };
//     const int address = co_await from_callback<int>(start);
//
// `start` is called once, when the result is awaited, with a Completion<T>, which any thread may call. If it
// is called before `start` returns, the coroutine does not suspend; else it resumes in a later turn. The
// coroutine may be destroyed while it waits: later calls of the Completion do nothing.
//
// Errors:    exceptions from `start`; the argument of Completion::set_exception(); BrokenPromise if every
//            Completion was destroyed uncalled.
// Costs:     one allocation and an uncontended mutex.
template <class T = void, class Start>
FromCallbackAwaiter<T, std::decay_t<Start>> from_callback(Start&& start) {
  detail::refuse_coroutine<std::decay_t<Start>, Completion<T>>();
  return {IOLoop::current(), std::forward<Start>(start)};
}

}  // namespace squall
