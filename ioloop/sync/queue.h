#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/coro/timed.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/waiter.h>
#include <squall/ioloop/sync/queue_items.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
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

// Passes items from the coroutines that put them to the coroutines that get them. put() waits while the queue
// is full.
//
//     for (;;) {
//       std::optional<Job> job = co_await queue.next();
//       if (!job) break;  // the queue was closed, and is empty
//       ...
//     }
//
// Both sides are served first come, first served. If a getter waits when an item is put, one item is promised
// to it: no other coroutine can take that item away. If the getter is destroyed before it resumes, the item
// is promised to the next getter, or stays in the queue. The getter takes its item when it resumes. qsize()
// does not count promised items, so destroyed getters may leave the queue above its maximum.
//
// Thread:    the thread of the loop that its waiters run on.
// Lifetime:  may be destroyed while coroutines wait. Getters are never resumed, not even getters with a
//            promised item, and the items are destroyed. Putters whose item is in the queue resume, the
//            others never do.
template <class T, class Items = FifoItems<T>>
class Queue {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "a Queue loses no item, so moving one must not throw: put it in a std::unique_ptr");

 public:
  // Without a `maxsize` the queue has no limit. Throws std::invalid_argument unless `maxsize` is positive.
  explicit Queue(std::optional<std::ptrdiff_t> maxsize = std::nullopt) {
    if (!maxsize) return;
    if (*maxsize <= 0)
      throw std::invalid_argument(*maxsize < 0 ? "maxsize can't be negative"
                                               : "maxsize can't be 0: leave it out for no limit");
    maxsize_ = static_cast<std::size_t>(*maxsize);
  }
  ~Queue() { promised_.withdraw_all(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // co_await queue.put(item): waits until the queue is not full. Throws QueueClosed, and TimeoutError with a
  // deadline. `item` is borrowed until then, and moved from only if it goes into the queue. An lvalue is
  // copied.
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
  // False if the queue is full or closed; `item` is then unchanged.
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

  // co_await queue.get(): waits for the next item and returns it. Throws QueueClosed once the queue is closed
  // and empty, and TimeoutError with a deadline.
  class Get;
  Get get() { return Get(*this); }
  Timed<Get> get(Deadline deadline) { return Timed<Get>(deadline, *this); }
  // As get(), but returns std::nullopt once the queue is closed and empty.
  class Next;
  Next next() { return Next(*this); }
  Timed<Next> next(Deadline deadline) { return Timed<Next>(deadline, *this); }
  // Does not wait: std::nullopt if the queue is empty.
  std::optional<T> try_get() {
    if (empty()) return std::nullopt;
    return take();
  }
  // Does not wait. Throws QueueEmpty, or QueueClosed if the queue is closed and empty.
  T get_nowait() {
    if (!empty()) return take();
    if (closed_) throw QueueClosed();
    throw QueueEmpty();
  }

  // Refuses further items, also the items of waiting putters. The items in the queue can still be taken.
  void close() noexcept {
    closed_ = true;
    putters_.wake_all();
    getters_.wake_all();
  }
  bool closed() const noexcept { return closed_; }

  // Marks one item as processed. Throws std::logic_error if all items are marked already (QUE-06).
  void task_done() {
    if (unfinished_ == 0) throw std::logic_error("task_done() called too many times");
    if (--unfinished_ == 0) joiners_.wake_all();
  }
  // co_await queue.join(): waits until task_done() was called for every item. With a deadline it throws
  // TimeoutError.
  class Join;
  Join join() { return Join(*this); }
  Timed<Join> join(Deadline deadline) { return Timed<Join>(deadline, *this); }

  // Items that are not promised.
  std::size_t qsize() const noexcept { return items_.size() - promised_.size(); }
  bool empty() const noexcept { return qsize() == 0; }
  // Never true without a limit.
  bool full() const noexcept { return qsize() >= maxsize_; }
  // std::nullopt without a limit.
  std::optional<std::size_t> maxsize() const noexcept {
    return maxsize_ == kNoLimit ? std::nullopt : std::optional(maxsize_);
  }
  // For diagnostics (QUE-10): <Queue maxsize=1 queue[1] getters[1] putters[1] tasks=1 closed>; all parts but
  // maxsize are optional. Without a limit maxsize is 0, as in Tornado.
  std::string to_string() const {
    const detail::QueueState state{Items::kName,    maxsize().value_or(0), qsize(), getters_.size(),
                                   putters_.size(), unfinished_,           closed_};
    return detail::to_string(state);
  }

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  template <class Item>
  void insert(Item&& item) {
    items_.push(std::forward<Item>(item));
    ++unfinished_;
    getters_.promise_to_one(promised_);
  }
  // The next item; the queue must not be empty. First moves the item of the putter that has waited longest
  // into the queue; it may be the next item (QUE-04).
  T take() {
    if (!putters_.empty() && qsize() <= maxsize_) {
      static_cast<Put&>(*putters_.front()).insert();
      putters_.wake_one();
    }
    return items_.pop();
  }

  // While getters wait, qsize() is 0; while putters wait, the queue is full.
  Items items_;
  std::size_t maxsize_ = kNoLimit;
  std::size_t unfinished_ = 0;
  bool closed_ = false;
  WaiterList getters_;
  WaiterList promised_;  // woken getters that have not taken their item
  WaiterList putters_;
  WaiterList joiners_;
};

template <class T, class Compare = std::less<T>>
using PriorityQueue = Queue<T, PriorityItems<T, Compare>>;
template <class T>
using LifoQueue = Queue<T, LifoItems<T>>;

}  // namespace squall

#include <squall/ioloop/sync/queue_awaiters.h>
