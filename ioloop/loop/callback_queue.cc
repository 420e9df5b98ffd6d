#include <squall/ioloop/loop/callback_queue.h>

#include <algorithm>
#include <utility>

namespace squall {

[[gnu::cold]] CallbackQueue::~CallbackQueue() {
  // The destructor of a closure may add callbacks, which are destroyed too.
  while (!empty()) run_until(end(), [](auto&) { return true; });
}

CallbackQueue::Ticket CallbackQueue::push(Callback callback) {
  if (tail_ % kBlock == 0) add_block();
  slot(tail_) = std::move(callback);
  return tail_++;
}

void CallbackQueue::cancel(Ticket ticket) noexcept {
  if (ticket >= head_ && ticket < tail_ && ticket != running_) slot(ticket).reset();
}

void CallbackQueue::add_block() {
  const Ticket number = tail_ / kBlock;
  const std::size_t in_use = static_cast<std::size_t>(number - head_ / kBlock);
  if (in_use == blocks_.size()) {
    std::vector<std::unique_ptr<Block>> larger(std::max<std::size_t>(4, blocks_.size() * 2));
    for (Ticket n = head_ / kBlock; n != number; ++n)
      larger[n & (larger.size() - 1)] = std::move(blocks_[n & (blocks_.size() - 1)]);
    blocks_ = std::move(larger);
  }
  std::unique_ptr<Block>& place = blocks_[number & (blocks_.size() - 1)];
  place = spare_.take();
  if (!place) place = std::make_unique<Block>();
}

void CallbackQueue::recycle_front() noexcept {
  spare_.give_back(std::move(blocks_[(head_ / kBlock - 1) & (blocks_.size() - 1)]));
}

}  // namespace squall
