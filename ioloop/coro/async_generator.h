#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/running_coroutine.h>

#include <cassert>
#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace squall {

template <class T>
class AsyncGenerator;

namespace detail {

template <class T>
class AsyncGeneratorPromise final : public Pooled {
 public:
  class Next;

  AsyncGeneratorPromise() noexcept = default;
  AsyncGeneratorPromise(const AsyncGeneratorPromise&) = delete;
  AsyncGeneratorPromise& operator=(const AsyncGeneratorPromise&) = delete;
  ~AsyncGeneratorPromise() {
    if (next_) next_->promise_ = nullptr;
  }

  // Resumes the coroutine in next(). If that coroutine was destroyed, keeps the value for the following
  // next().
  struct HandOver {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<AsyncGeneratorPromise> self) const noexcept {
      return RunningCoroutine::transfer(self.promise().hand_over());
    }
    void await_resume() const noexcept {}
  };

  AsyncGenerator<T> get_return_object() noexcept;
  std::suspend_always initial_suspend() const noexcept { return {}; }
  HandOver final_suspend() noexcept {
    state_ = State::ended;
    return {};
  }
  template <std::convertible_to<T> Value = T>
  HandOver yield_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
    state_ = State::waiting;
    return {};
  }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }

 private:
  enum class State { waiting, running, ended };

  std::coroutine_handle<> hand_over() noexcept;
  bool has_answer() const noexcept { return value_ || state_ == State::ended; }
  std::optional<T> take();

  std::optional<T> value_;
  std::exception_ptr error_;
  Next* next_ = nullptr;  // the waiting consumer
  State state_ = State::waiting;
};

template <class T>
class [[nodiscard]] AsyncGeneratorPromise<T>::Next {
 public:
  explicit Next(AsyncGeneratorPromise& promise) noexcept : promise_(&promise) {}
  // May be moved until it is awaited.
  Next(Next&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {
    assert(!other.consumer_ && "this next() has begun");
  }
  Next& operator=(Next&&) = delete;
  ~Next() {
    if (promise_ && promise_->next_ == this) promise_->next_ = nullptr;
  }

  bool await_ready() const noexcept { return promise_->has_answer(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> consumer) {
    if (promise_->next_) throw_logic_error("another coroutine waits in next() of this AsyncGenerator");
    consumer_ = consumer;
    promise_->next_ = this;
    // The body still computes a value for a consumer that was destroyed.
    if (promise_->state_ == State::running) return std::noop_coroutine();
    promise_->state_ = State::running;
    return RunningCoroutine::transfer(std::coroutine_handle<AsyncGeneratorPromise>::from_promise(*promise_));
  }
  std::optional<T> await_resume() { return promise_->take(); }

 private:
  friend class AsyncGeneratorPromise;
  AsyncGeneratorPromise* promise_;  // null once the generator is destroyed
  std::coroutine_handle<> consumer_;
};

template <class T>
std::coroutine_handle<> AsyncGeneratorPromise<T>::hand_over() noexcept {
  if (Next* next = std::exchange(next_, nullptr)) return next->consumer_;
  return std::noop_coroutine();
}

template <class T>
std::optional<T> AsyncGeneratorPromise<T>::take() {
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  std::optional<T> value = std::move(value_);
  value_.reset();
  return value;
}

}  // namespace detail

// A coroutine that yields values one after another, and may wait between them.
//
//     AsyncGenerator<std::string> lines(IOStream& stream) {
//       for (;;) {
//         std::string line = co_await stream.read_until("\n");
//         co_yield std::move(line);
//       }
//     }
//
//     for (;;) {
//       const std::optional<std::string> line = co_await generator.next();
//       if (!line) break;
//     }
//
// A generator is lazy: the body starts at the first next(), and continues after its co_yield at the following
// one. Both directions are symmetric transfers: no turn of the loop passes, and the stack does not grow.
//
// Errors:    next() throws the exception of the body, and returns nullopt from then on.
// Lifetime:  the generator owns the body: destroying the generator destroys the body where it waits; the
//            body must not destroy its own generator. If a coroutine is destroyed in next(), the body
//            continues, and its value is kept for the following next(), so that a timeout around next()
//            loses no value.
// Thread:    the thread of the loop it waits on. One coroutine at a time may wait in next().
template <class T>
class [[nodiscard]] AsyncGenerator {
  static_assert(std::is_object_v<T>, "a generator yields values; for references, yield a pointer");

 public:
  using promise_type = detail::AsyncGeneratorPromise<T>;
  using value_type = T;

  AsyncGenerator() noexcept = default;
  AsyncGenerator(AsyncGenerator&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~AsyncGenerator() { reset(); }

  // False after a move or reset().
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
  // Destroys the body.
  void reset() noexcept {
    if (Handle handle = std::exchange(handle_, nullptr)) handle.destroy();
  }

  // co_await generator.next(): returns the next value, or nullopt once the body has ended.
  // Throws std::logic_error if the generator was moved from, or if another coroutine waits in next().
  auto next() {
    if (!handle_) throw_logic_error("this AsyncGenerator was moved from");
    return typename promise_type::Next(handle_.promise());
  }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  friend promise_type;
  explicit AsyncGenerator(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

namespace detail {

template <class T>
AsyncGenerator<T> AsyncGeneratorPromise<T>::get_return_object() noexcept {
  return AsyncGenerator<T>(std::coroutine_handle<AsyncGeneratorPromise>::from_promise(*this));
}

}  // namespace detail
}  // namespace squall
