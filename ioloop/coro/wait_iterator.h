#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall {

// Runs tasks concurrently and returns their results in the order in which they end (GEN-30, GEN-31).
//
//     WaitIterator pages(std::move(tasks));        // a vector: numbered from 0; or a map: named by its keys
//     while (!pages.done()) {
//       const Page page = co_await pages.next();   // may throw; the next call continues with the others
//       use(pages.current_index(), page);
//     }
//
// Results are kept, in order, until next() takes them. Tasks may be added at any time; memory is used for
// running tasks and kept results only.
//
// Lifetime:  owns the tasks. The destructor cancels the running ones, and must not be called from one of
//            them.
// Thread:    the thread of its loop. One coroutine at a time may wait in next().
template <class T, class Index = std::size_t>
class WaitIterator final : private detail::TaskOwner {
 public:
  class Next;

  WaitIterator() : loop_(IOLoop::current()) {}
  explicit WaitIterator(std::vector<Task<T>> tasks) : WaitIterator() {
    slots_.reserve(tasks.size());
    for (Task<T>& task : tasks) add(std::move(task));
  }
  // From a std::map or std::unordered_map: tasks with names.
  template <class Map>
  requires std::is_same_v<typename Map::mapped_type, Task<T>>
  explicit WaitIterator(Map tasks) : WaitIterator() {
    slots_.reserve(tasks.size());
    for (auto& [name, task] : tasks) add(name, std::move(task));
  }
  WaitIterator(const WaitIterator&) = delete;
  WaitIterator& operator=(const WaitIterator&) = delete;
  ~WaitIterator() {
    // A waiting coroutine is never resumed, but can be destroyed.
    if (!next_) return;
    next_->resume_.unlink();
    next_->iterator_ = nullptr;
  }

  // Starts the task now: when add() returns, the task has run to its first wait or to its end. Returns the
  // number of the task. Throws std::logic_error if the task was moved from or has begun.
  std::size_t add(Task<T> task) requires std::is_same_v<Index, std::size_t>
  {
    const std::size_t number = added_++;
    begin(number, std::move(task));
    return number;
  }
  // Starts a task with a name.
  void add(Index name, Task<T> task) { begin(std::move(name), std::move(task)); }

  // All results have been taken.
  bool done() const noexcept { return left_ == 0; }
  // Tasks whose result has not been taken.
  std::size_t size() const noexcept { return left_; }
  // co_await it.next(): waits for the next task that ends; returns its result or throws its exception. Throws
  // std::logic_error if done(), or if another coroutine waits in next().
  Next next() { return Next(*this); }
  // The number or name of the task whose result next() returned last.
  const Index& current_index() const noexcept { return current_; }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  struct Slot {
    Index index;
    Task<T> task;
    std::size_t following = kNone;  // the slot that ended after this one, or the next vacant one
  };

  void begin(Index index, Task<T> task);
  std::coroutine_handle<> task_ended(std::size_t slot) noexcept override;
  T take();

  LoopRef loop_;
  std::vector<Slot> slots_;
  std::size_t vacant_ = kNone;
  std::size_t first_ended_ = kNone;
  std::size_t last_ended_ = kNone;
  std::size_t left_ = 0;
  std::size_t added_ = 0;
  Next* next_ = nullptr;  // the waiting coroutine
  Index current_{};
  bool beginning_ = false;
};

template <class T>
WaitIterator(std::vector<Task<T>>) -> WaitIterator<T>;
template <class Map>
WaitIterator(Map) -> WaitIterator<typename Map::mapped_type::value_type, typename Map::key_type>;

template <class T, class Index>
class [[nodiscard]] WaitIterator<T, Index>::Next {
 public:
  explicit Next(WaitIterator& iterator) : iterator_(&iterator) {
    if (iterator.done()) throw std::logic_error("next() of a WaitIterator that is done");
  }
  // May be moved until it is awaited.
  Next(Next&& other) noexcept : iterator_(std::exchange(other.iterator_, nullptr)) {
    assert((!iterator_ || iterator_->next_ != &other) && "this next() has begun");
  }
  Next& operator=(Next&&) = delete;
  ~Next() {
    if (!iterator_) return;
    if (iterator_->next_ == this) iterator_->next_ = nullptr;
  }

  bool await_ready() const {
    if (iterator_->next_) throw_logic_error("another coroutine waits in next() of this WaitIterator");
    return iterator_->first_ended_ != kNone;
  }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    resume_.set(coroutine);
    iterator_->next_ = this;
  }
  T await_resume() {
    if (iterator_->next_ == this) iterator_->next_ = nullptr;
    return iterator_->take();
  }

 private:
  friend class WaitIterator;
  WaitIterator* iterator_;  // null once the iterator is destroyed
  LoopHook resume_;         // linked once it is in the ready queue
};

template <class T, class Index>
void WaitIterator<T, Index>::begin(Index index, Task<T> task) {
  task.check_startable();
  std::size_t number = vacant_;
  if (number == kNone) {
    number = slots_.size();
    slots_.push_back(Slot{std::move(index), std::move(task)});
  } else {
    vacant_ = slots_[number].following;
    slots_[number] = Slot{std::move(index), std::move(task)};
  }
  ++left_;
  const bool nested = std::exchange(beginning_, true);  // a task may add another
  slots_[number].task.start(*this, number);
  beginning_ = nested;
  if (nested || first_ended_ == kNone || !next_ || next_->resume_.linked()) return;
  // The caller of add() is on the stack, so the waiting coroutine resumes in a later turn.
  loop_->call_soon(next_->resume_);
}

template <class T, class Index>
std::coroutine_handle<> WaitIterator<T, Index>::task_ended(std::size_t slot) noexcept {
  slots_[slot].following = kNone;
  (first_ended_ == kNone ? first_ended_ : slots_[last_ended_].following) = slot;
  last_ended_ = slot;
  if (!next_ || beginning_ || next_->resume_.linked()) return std::noop_coroutine();
  return std::exchange(next_, nullptr)->resume_.coroutine();
}

template <class T, class Index>
T WaitIterator<T, Index>::take() {
  const std::size_t number = first_ended_;
  Slot& slot = slots_[number];
  first_ended_ = slot.following;
  Task<T> task = std::move(slot.task);
  current_ = std::move(slot.index);
  slot.following = std::exchange(vacant_, number);
  --left_;
  return task.result();
}

}  // namespace squall
