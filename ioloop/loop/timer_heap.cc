#include <squall/ioloop/loop/timer_heap.h>

#include <algorithm>
#include <utility>

namespace squall {

Timeout TimerHeap::add(TimePoint deadline, Callback callback) {
  if (closed_) return {};
  // Allocates first, so that a failed allocation changes nothing.
  if (heap_.size() + to_fire_ >= heap_.capacity())
    heap_.reserve(std::max<std::size_t>(64, (heap_.size() + to_fire_) * 2));
  if (due_.capacity() == 0) due_.reserve(kSmallestBatch);
  const std::uint32_t index = take_slot();
  Slot& slot = slot_at(index);
  slot.callback = std::move(callback);
  slot.id = next_id_++;
  heap_.emplace_back();
  sift_up(heap_.size() - 1, Entry{deadline, slot.id, index});
  earliest_ = heap_.front().deadline;
  return Timeout{slot.id, index};
}

bool TimerHeap::remove(Timeout timeout) noexcept {
  if (!timeout || timeout.slot / kBlock >= blocks_.size() || !blocks_[timeout.slot / kBlock]) return false;
  Slot& slot = slot_at(timeout.slot);
  if (slot.id != timeout.id) return false;
  if (slot.position == kNone) {
    // The timer is in due_ already: fire() will find no callback and free the slot.
    slot.id = 0;
    slot.callback.reset();
    return true;
  }
  erase(slot.position);
  // The closure is destroyed last, because its destructor may add and remove timers.
  const Callback doomed = std::move(slot.callback);
  free_slot(timeout.slot);
  give_back();
  return true;
}

void TimerHeap::close() noexcept {
  closed_ = true;
  while (!heap_.empty()) remove(Timeout{heap_.front().id, heap_.front().slot});
}

void TimerHeap::collect_due(TimePoint now) noexcept {
  while (!heap_.empty() && heap_.front().deadline <= now) {
    try {
      due_.push_back(heap_.front().slot);
    } catch (const std::bad_alloc&) {
      break;  // add() made room for kSmallestBatch, so some timers run
    }
    slot_at(heap_.front().slot).position = kNone;
    erase(0);
  }
  give_back();
}

void TimerHeap::erase(std::size_t position) noexcept {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) {
    if (position == 0) earliest_ = TimePoint::max();
    return;
  }
  if (position > 0 && last.before(heap_[(position - 1) / kArity])) {
    sift_up(position, last);
  } else {
    sift_down(position, last);
  }
  earliest_ = heap_.front().deadline;
}

void TimerHeap::place(std::size_t position, const Entry& entry) noexcept {
  heap_[position] = entry;
  slot_at(entry.slot).position = static_cast<std::uint32_t>(position);
}

void TimerHeap::sift_up(std::size_t position, const Entry& entry) noexcept {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kArity;
    if (!entry.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sift_down(std::size_t position, const Entry& entry) noexcept {
  for (;;) {
    const std::size_t first = position * kArity + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kArity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child)
      if (heap_[child].before(heap_[least])) least = child;
    if (!heap_[least].before(entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

void TimerHeap::give_back() noexcept {
  if (heap_.capacity() <= 1024 || heap_.size() > heap_.capacity() / 4) return;
  try {
    std::vector<Entry> smaller;
    smaller.reserve(heap_.capacity() / 2);
    smaller.assign(heap_.begin(), heap_.end());
    heap_.swap(smaller);
  } catch (const std::bad_alloc&) {
    // No memory for a smaller array: the larger array stays.
  }
}

std::uint32_t TimerHeap::take_slot() {
  Block& block = open_.empty() ? add_block() : open_.front();
  if (block.used++ == 0) --empty_blocks_;
  const std::uint32_t within = block.free;
  block.free = block.slots[within].position;
  if (block.free == kNone) block.unlink();
  return block.number * kBlock + within;
}

void TimerHeap::free_slot(std::uint32_t index) noexcept {
  Block& block = *blocks_[index / kBlock];
  Slot& slot = block.slots[index % kBlock];
  slot.id = 0;
  if (block.free == kNone) open_.push_front(block);
  slot.position = std::exchange(block.free, index % kBlock);
  if (--block.used > 0) return;
  // One empty block is kept, so that adding and removing one timer again and again allocates nothing.
  if (empty_blocks_++ == 0) return;
  --empty_blocks_;
  const std::uint32_t number = block.number;
  blocks_[number].reset();
  vacant_.push_back(number);  // add_block() made room
}

[[gnu::cold]] TimerHeap::Block& TimerHeap::add_block() {
  if (vacant_.empty()) {
    // Capacity for the number of every block, so that free_slot() never allocates.
    if (vacant_.capacity() <= blocks_.size()) vacant_.reserve(blocks_.size() * 2 + 8);
    blocks_.emplace_back();
    vacant_.push_back(static_cast<std::uint32_t>(blocks_.size() - 1));
  }
  auto fresh = std::make_unique<Block>();
  Block& block = *fresh;
  block.number = vacant_.back();
  for (std::uint32_t i = 0; i < kBlock; ++i) block.slots[i].position = i + 1 < kBlock ? i + 1 : kNone;
  blocks_[block.number] = std::move(fresh);
  vacant_.pop_back();
  ++empty_blocks_;
  open_.push_front(block);
  return block;
}

}  // namespace squall
