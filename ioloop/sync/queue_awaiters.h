#pragma once

// The awaiters of Queue's put(), get(), next() and join(). Part of queue.h.

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>
#include <squall/ioloop/sync/queue.h>

#include <coroutine>
#include <optional>
#include <utility>

namespace squall {

template <class T, class Items>
class [[nodiscard]] Queue<T, Items>::Put : protected Waiter {
 public:
  static constexpr bool kBorrowsArguments = true;

  Put(Queue& queue, T& item) : Waiter(IOLoop::current()), queue_(queue), item_(item) {}

  bool await_ready() {
    if (queue_.closed_) return true;
    if (queue_.full() || !loop().spend(1)) return false;
    insert();
    return true;
  }
  void await_suspend(std::coroutine_handle<> coroutine) {
    const bool room = !queue_.full();
    if (room) insert();
    wait_in(queue_.putters_, coroutine);
    if (room) wake();  // the budget is spent: resumes through the ready queue
  }
  void await_resume() const {
    if (!inserted_) throw QueueClosed();
  }

 protected:
  Queue& queue_;

 private:
  friend Queue;
  void insert() {
    queue_.insert(std::move(item_));
    inserted_ = true;
  }

  T& item_;
  bool inserted_ = false;
};

namespace detail {

template <class T>
struct Copied {
  explicit Copied(const T& item) : copy(item) {}
  T copy;
};

}  // namespace detail

template <class T, class Items>
class [[nodiscard]] Queue<T, Items>::PutCopy : private detail::Copied<T>, public Put {
 public:
  static constexpr bool kBorrowsArguments = false;

  PutCopy(Queue& queue, const T& item) : detail::Copied<T>(item), Put(queue, this->copy) {}
  PutCopy(PutCopy&& other) noexcept
      : detail::Copied<T>(static_cast<detail::Copied<T>&&>(other)), Put(other.queue_, this->copy) {}
};

template <class T, class Items>
class [[nodiscard]] Queue<T, Items>::Get : protected Waiter {
 public:
  explicit Get(Queue& queue) : Waiter(IOLoop::current()), queue_(queue) {}
  Get(Get&&) noexcept = default;
  ~Get() {
    if (withdraw()) queue_.getters_.promise_to_one(queue_.promised_);
  }

  bool await_ready() const noexcept { return queue_.empty() ? queue_.closed_ : loop().spend(1); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    wait_in(queue_.getters_, coroutine);
    if (!queue_.empty()) promise(queue_.promised_);  // the budget is spent: resumes through the ready queue
  }
  T await_resume() {
    take_promise();
    return queue_.get_nowait();
  }

 protected:
  Queue& queue_;
};

template <class T, class Items>
class [[nodiscard]] Queue<T, Items>::Next : public Get {
 public:
  using Get::Get;
  std::optional<T> await_resume() {
    this->take_promise();
    return this->queue_.try_get();
  }
};

template <class T, class Items>
class [[nodiscard]] Queue<T, Items>::Join : protected Waiter {
 public:
  explicit Join(Queue& queue) : Waiter(IOLoop::current()), queue_(queue) {}

  bool await_ready() const noexcept { return queue_.unfinished_ == 0; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { wait_in(queue_.joiners_, coroutine); }
  void await_resume() const noexcept {}

 private:
  Queue& queue_;
};

}  // namespace squall
