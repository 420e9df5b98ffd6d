#pragma once

#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/sync/queue_items.h>
#include <squall/ioloop/coro/timed.h>
#include <squall/ioloop/loop/waiter.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace squall {
namespace detail {

struct QueueState {
  const char* name;
  std::size_t maxsize, size, getters, putters, unfinished;
  bool closed;
};
std::string to_string(const QueueState& state);

}  // namespace detail

// Hands items from coroutines that put them to coroutines that get them. A full queue makes those who put
// wait.
//
//     for (;;) {
//       std::optional<Job> job = co_await queue.next();
//       if (!job) break;  // the queue was closed, and is empty
//       ...
//     }
//
// Both sides are served first come, first served. An item that finds a getter waiting is promised to it:
// nobody can take it away before that resumes, and if it is destroyed first, the item goes to the next
// getter, or stays in its place in the queue. Which item that is, is decided when the getter resumes. The
// size of the queue counts only items that are not promised; getters that are destroyed may so leave it above
// its maximum.
//
// Thread:    one, that of the loop its waiters run on.
// Lifetime:  may be destroyed while coroutines wait: they are never resumed, not even getters that have been
//            promised an item, and the items are destroyed. Those whose item went in while they waited go on.
template <class T, class Items = FifoItems<T>>
class Queue {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "a Queue loses no item, so moving one must not throw: put it in a std::unique_ptr");

 public:
  // 0 is without bound. Throws std::invalid_argument if `maxsize` is negative.
  explicit Queue(std::ptrdiff_t maxsize = 0) : maxsize_(static_cast<std::size_t>(maxsize)) {
    if (maxsize < 0) throw std::invalid_argument("maxsize can't be negative");
  }
  ~Queue() { promised_.withdraw_all(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // co_await queue.put(item): waits for room. Throws QueueClosed, and TimeoutError with a deadline. `item` is
  // borrowed until then and moved from only when it goes in, so that one that did not is still there. An
  // lvalue is copied.
  class Put;
  class PutCopy;
  Put put(T&& item) { return Put(*this, item); }
  Timed<Put> put(T&& item, Deadline deadline) { return Timed<Put>(deadline, *this, item); }
  PutCopy put(const T& item) requires std::copy_constructible<T>
  {
    return PutCopy(*this, item);
  }
  Timed<PutCopy> put(const T& item, Deadline deadline) requires std::copy_constructible<T>
  {
    return Timed<PutCopy>(deadline, *this, item);
  }
  // False if there is no room, or the queue is closed; `item` is then untouched.
  template <class Item = T>
  bool try_put(Item&& item) {
    if (closed_ || full()) return false;
    insert(std::forward<Item>(item));
    return true;
  }
  // Throws QueueFull or QueueClosed.
  template <class Item = T>
  void put_nowait(Item&& item) {
    if (closed_) throw QueueClosed();
    if (full()) throw QueueFull();
    insert(std::forward<Item>(item));
  }

  // co_await queue.get(): the next item, waiting for one. Throws QueueClosed once the queue is closed and
  // empty, and TimeoutError with a deadline.
  class Get;
  Get get() { return Get(*this); }
  Timed<Get> get(Deadline deadline) { return Timed<Get>(deadline, *this); }
  // The same, but a queue that is closed and empty gives std::nullopt.
  class Next;
  Next next() { return Next(*this); }
  Timed<Next> next(Deadline deadline) { return Timed<Next>(deadline, *this); }
  // std::nullopt if there is none at once.
  std::optional<T> try_get() {
    if (empty()) return std::nullopt;
    return take();
  }
  // Throws QueueEmpty, or QueueClosed if there will never be one.
  T get_nowait() {
    if (!empty()) return take();
    if (closed_) throw QueueClosed();
    throw QueueEmpty();
  }

  // No more items: who waits to put is refused. The items that are there can still be got.
  void close() noexcept {
    closed_ = true;
    putters_.wake_all();
    getters_.wake_all();
  }
  bool closed() const noexcept { return closed_; }

  // One item that was put has been dealt with. Throws std::logic_error if there is none of which that was not
  // said (QUE-06).
  void task_done() {
    if (unfinished_ == 0) throw std::logic_error("task_done() called too many times");
    if (--unfinished_ == 0) joiners_.wake_all();
  }
  // co_await queue.join(): until task_done() was called for every item that went in. With a deadline it
  // throws TimeoutError.
  class Join;
  Join join() { return Join(*this); }
  Timed<Join> join(Deadline deadline) { return Timed<Join>(deadline, *this); }

  // Items to be had at once.
  std::size_t qsize() const noexcept { return items_.size() - promised_.size(); }
  bool empty() const noexcept { return qsize() == 0; }
  // Never if there is no bound.
  bool full() const noexcept { return maxsize_ != 0 && qsize() >= maxsize_; }
  std::size_t maxsize() const noexcept { return maxsize_; }
  // For diagnostics (QUE-10): <Queue maxsize=1 queue[1] getters[1] putters[1] tasks=1 closed>, of which only
  // the first is always there.
  std::string to_string() const {
    const detail::QueueState state{Items::kName,    maxsize_,    qsize(), getters_.size(),
                                   putters_.size(), unfinished_, closed_};
    return detail::to_string(state);
  }

 private:
  template <class Item>
  void insert(Item&& item) {
    items_.push(std::forward<Item>(item));
    ++unfinished_;
    getters_.promise_to_one(promised_);
  }
  // The next item of a queue that is not empty. If that makes room, the item that has waited longest to go in
  // does so first, and may already be the next (QUE-04).
  T take() {
    if (!putters_.empty() && qsize() <= maxsize_) {
      static_cast<Put&>(*putters_.front()).insert();
      putters_.wake_one();
    }
    return items_.pop();
  }

  // While anybody waits to get, qsize() is 0; while anybody waits to put, the queue is full.
  Items items_;
  std::size_t maxsize_;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
  WaiterList getters_;
  WaiterList promised_;  // getters woken for an item they have not taken yet
  WaiterList putters_;
  WaiterList joiners_;
};

template <class T, class Compare = std::less<T>>
using PriorityQueue = Queue<T, PriorityItems<T, Compare>>;
template <class T>
using LifoQueue = Queue<T, LifoItems<T>>;

}  // namespace squall

#include <squall/ioloop/sync/queue_awaiters.h>
