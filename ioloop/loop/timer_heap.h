#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/intrusive_list.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace squall {

// Identifies a pending timer. It may be used after the timer has fired or was removed, without effect, and
// is never reused.
struct Timeout {
  std::uint64_t id = 0;  // 0: no timer
  std::uint32_t slot = 0;

  explicit operator bool() const noexcept { return id != 0; }
};

// Timers ordered by deadline, then by insertion (IOL-56).
//
// A 4-ary heap of deadlines. Each entry has the slot of its callback, and each slot its position in the
// heap. So removing a timer is O(log n), destroys the closure at once (IOL-57) and leaves no cancelled
// entry behind (IOL-58). With four children a node the heap has half the depth of a binary heap, and half
// the cache misses. Slots are allocated in blocks, and a block without timers is freed.
//
// Thread:    one.
class TimerHeap {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  TimerHeap() = default;
  ~TimerHeap() { close(); }
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;

  // Throws std::bad_alloc, and then nothing has changed. The result is empty after close().
  Timeout add(TimePoint deadline, Callback callback);
  // Destroys the callback and returns true; false if the timer has fired or was removed before. A due timer
  // can be removed until its own callback runs (IOL-54).
  bool remove(Timeout timeout) noexcept;

  // Destroys every callback, and from now on every callback that is added.
  void close() noexcept;

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  // The earliest deadline; TimePoint::max() without a timer.
  TimePoint earliest() const noexcept { return earliest_; }

  // Runs and destroys the callbacks that are due at `now`. Timers added meanwhile wait for the next call. If
  // there is no memory for a large batch, only the earliest timers run, and the others in the next call.
  // `run` is called with each Callback and must not throw. A callback that adds one timer needs no memory for
  // it: its own place is free by then, and no other callback takes that place.
  template <class Run>
  std::size_t fire(TimePoint now, Run&& run) {
    if (heap_.empty() || earliest_ > now) return 0;
    collect_due(now);
    std::size_t count = 0;
    for (std::size_t i = 0; i < due_.size(); ++i) {
      to_fire_ = due_.size() - i - 1;
      Callback callback = std::move(slot_at(due_[i]).callback);
      free_slot(due_[i]);  // fired: remove() no longer finds it
      if (!callback) continue;
      run(callback);
      ++count;
    }
    due_.clear();
    return count;
  }

 private:
  static constexpr std::size_t kArity = 4;
  static constexpr std::uint32_t kBlock = 256;
  static constexpr std::size_t kSmallestBatch = 64;
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Entry {
    TimePoint deadline;
    std::uint64_t id;  // ids ascend, so they also order equal deadlines
    std::uint32_t slot;

    bool before(const Entry& other) const noexcept {
      return deadline != other.deadline ? deadline < other.deadline : id < other.id;
    }
  };
  struct Slot {
    Callback callback;
    std::uint64_t id = 0;            // 0: free, or has fired
    std::uint32_t position = kNone;  // in heap_; kNone while in due_; the next free slot if free
  };
  // In open_ while it has a free slot.
  struct Block : ListNode<> {
    Slot slots[kBlock];
    std::uint32_t number;    // in blocks_
    std::uint32_t used = 0;  // slots in use
    std::uint32_t free = 0;  // first free slot of the block, or kNone
  };

  Slot& slot_at(std::uint32_t index) noexcept { return blocks_[index / kBlock]->slots[index % kBlock]; }
  std::uint32_t take_slot();
  Block& add_block();
  void free_slot(std::uint32_t index) noexcept;
  void collect_due(TimePoint now) noexcept;
  void erase(std::size_t position) noexcept;
  void give_back() noexcept;
  void place(std::size_t position, const Entry& entry) noexcept;
  void sift_up(std::size_t position, const Entry& entry) noexcept;
  void sift_down(std::size_t position, const Entry& entry) noexcept;

  TimePoint earliest_ = TimePoint::max();  // copied from heap_, which is in another cache line
  std::vector<Entry> heap_;
  std::vector<std::unique_ptr<Block>> blocks_;  // null where a block was freed
  std::vector<std::uint32_t> vacant_;           // the indices of the null entries in blocks_
  IntrusiveList<Block> open_;                   // blocks with a free slot
  std::uint32_t empty_blocks_ = 0;
  std::vector<std::uint32_t> due_;
  std::size_t to_fire_ = 0;  // timers of due_ that have not run; heap_ keeps room for as many
  std::uint64_t next_id_ = 1;
  bool closed_ = false;
};

}  // namespace squall
