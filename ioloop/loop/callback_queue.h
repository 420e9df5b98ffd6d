#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/free_list.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace squall {

// A queue of callbacks and hooks, first in, first out. An entry can be withdrawn in constant time.
//
// Callbacks are stored in blocks that never move, so a callback may add others while it runs. A few empty
// blocks are kept, so a queue that fills and empties every turn allocates nothing. A hook is a member of
// its owner, is linked into a list, and stores the ticket of the callback that follows it.
//
// Thread:    one.
// Lifetime:  destroying the queue destroys the callbacks left in it, uncalled, and unlinks the hooks.
class CallbackQueue {
 public:
  using Ticket = std::uint64_t;  // identifies a callback of the queue; never 0

  CallbackQueue() = default;
  ~CallbackQueue();
  CallbackQueue(const CallbackQueue&) = delete;
  CallbackQueue& operator=(const CallbackQueue&) = delete;

  // Throws std::bad_alloc, and then nothing has changed.
  Ticket push(Callback callback);
  // Unlinking the hook withdraws the call.
  void push(LoopHook& hook) noexcept {
    hook.order_ = tail_;
    hooks_.push_back(hook);
  }
  // Destroys the callback. Does nothing once it has begun to run.
  void cancel(Ticket ticket) noexcept;

  // The ticket that the next callback will get. run_until(end()) runs exactly the callbacks that are in the
  // queue now.
  Ticket end() const noexcept { return tail_; }
  bool empty() const noexcept { return head_ == tail_ && hooks_.empty(); }
  // The number of callbacks, without hooks.
  std::size_t size() const noexcept { return static_cast<std::size_t>(tail_ - head_); }

  // Runs and destroys the callbacks before `end`, which must not be past end(), and the hooks queued between
  // them. Returns the number of callbacks and hooks. `run` is called with each Callback or LoopHook and must
  // not throw; a hook is unlinked before the call, which may destroy it. If `run` returns false, the others
  // stay in the queue.
  template <class Run>
  std::size_t run_until(Ticket end, Run&& run) {
    std::size_t count = 0;
    if (hooks_.empty()) {
      run_callbacks(end, run, count);
      return count;
    }
    LoopHookList present;
    present.splice_front(hooks_);
    bool goes_on = true;
    while (goes_on && !present.empty() && present.front().order_ <= end) {
      LoopHook* const next = &present.front();
      goes_on = run_callbacks(next->order_, run, count);
      // A callback may have withdrawn hooks.
      if (!goes_on || present.empty() || &present.front() != next) continue;
      goes_on = run(present.pop_front());
      ++count;
    }
    hooks_.splice_front(present);
    if (goes_on) run_callbacks(end, run, count);
    return count;
  }

 private:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kSpareBlocks = 16;
  struct Block {
    Callback slots[kBlock];
  };

  // False if `run` returned false.
  template <class Run>
  bool run_callbacks(Ticket end, Run& run, std::size_t& count) {
    bool goes_on = true;
    while (goes_on && head_ != end) {
      Callback& callback = slot(head_);
      running_ = head_;
      if (callback) {
        goes_on = run(callback);
        callback.reset();
        ++count;
      }
      if (++head_ % kBlock == 0) recycle_front();
    }
    running_ = 0;
    return goes_on;
  }

  Callback& slot(Ticket ticket) noexcept {
    return blocks_[(ticket / kBlock) & (blocks_.size() - 1)]->slots[ticket % kBlock];
  }
  void add_block();
  void recycle_front() noexcept;

  // The members that every turn reads come first, in one cache line.
  Ticket head_ = kBlock;  // the first block begins at ticket 64, so that no ticket is 0
  Ticket tail_ = kBlock;
  LoopHookList hooks_;
  Ticket running_ = 0;  // the callback that is on the stack: cancel() must not destroy it
  // A ring: block number n is at index n modulo the size, which is a power of two.
  std::vector<std::unique_ptr<Block>> blocks_;
  FreeList<Block, kSpareBlocks> spare_;
};

}  // namespace squall
