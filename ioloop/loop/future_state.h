#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/waiter.h>

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace squall::detail {

struct Nothing {};
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Nothing, T>;

void log_unheard(const std::exception_ptr& error) noexcept;
void log_after_cancel(const std::exception_ptr& error) noexcept;

// The state that a Promise and its Future share.
template <class T>
struct FutureState : Pooled {
  FutureState() noexcept = default;
  FutureState(const FutureState&) = delete;
  FutureState& operator=(const FutureState&) = delete;
  ~FutureState() {
    if (unheard) log_unheard(std::get<2>(result));
  }

  std::variant<std::monostate, Stored<T>, std::exception_ptr> result;
  WaiterList waiting;
  int owners = 0;
  bool unheard = false;  // an error is stored that no reader has taken

  bool done() const noexcept { return result.index() != 0; }
  T take() {
    unheard = false;
    if (result.index() == 2) {
      const std::exception_ptr& error = std::get<2>(result);
      if (!error) throw BrokenPromise();
      std::rethrow_exception(error);
    }
    if constexpr (!std::is_void_v<T>) return std::move(std::get<1>(result));
  }
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

}  // namespace squall::detail
