#pragma once

#include <squall/ioloop/callback.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace squall {

// Callbacks in the order they came. A place in the queue can be given up in O(1).
//
// Callbacks stand in blocks that never move, so that one may run where it stands while it adds others.
// A few empty blocks are kept, so a queue that fills and empties every turn allocates nothing.
//
// Thread:    one.
// Lifetime:  destroying the queue destroys the callbacks left in it, uncalled.
class CallbackQueue {
 public:
  using Ticket = std::uint64_t;  // where a callback stands; 0 is never given out

  CallbackQueue() = default;
  ~CallbackQueue();
  CallbackQueue(const CallbackQueue&) = delete;
  CallbackQueue& operator=(const CallbackQueue&) = delete;

  Ticket push(Callback callback);
  // Destroys the callback. Does nothing once it has begun to run.
  void cancel(Ticket ticket) noexcept;

  // The ticket the next callback will get. run_until(end()) runs exactly those that are here now.
  Ticket end() const noexcept { return tail_; }
  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(tail_ - head_); }

  // Runs and destroys callbacks up to `end`, which must not lie beyond end(), and returns how many. `run`
  // is called with each Callback and must not throw.
  template <class Run>
  std::size_t run_until(Ticket end, Run&& run) {
    std::size_t count = 0;
    while (head_ != end) {
      Callback& callback = slot(head_);
      running_ = head_;
      if (callback) {
        run(callback);
        callback.reset();
        ++count;
      }
      if (++head_ % kBlock == 0) recycle_front();
    }
    running_ = 0;
    return count;
  }

 private:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kSpareBlocks = 16;
  struct Block {
    Callback slots[kBlock];
  };

  Callback& slot(Ticket ticket) noexcept {
    return blocks_[(ticket / kBlock) & (blocks_.size() - 1)]->slots[ticket % kBlock];
  }
  void add_block();
  void recycle_front();

  // A ring: block number n stands at n modulo its size, which is a power of two.
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::unique_ptr<Block>> spare_;
  Ticket head_ = kBlock;  // the first block begins at ticket 64, so that no ticket is 0
  Ticket tail_ = kBlock;
  Ticket running_ = 0;  // the callback that cancel() must leave alone, as it is on the stack
};

}  // namespace squall
