#include <squall/iostream/stream/buffer_pool.h>

#include <squall/ioloop/base/block_lists.h>

#include <bit>
#include <new>

namespace squall {
namespace {

struct BlockSizes {
  static constexpr std::size_t kLists = std::countr_zero(Block::kLargest / Block::kSmallest) + 1;
  // Enough for a turn of a busy loop, and little beside the memory of ten thousand connections.
  static constexpr std::size_t kListBytes = 256 * 1024;
  static constexpr std::size_t size_of(std::size_t list) noexcept { return Block::kSmallest << list; }
};
using Lists = BlockLists<BlockSizes>;

std::size_t list_for(std::size_t size) noexcept {
  return size <= Block::kSmallest ? 0
                                  : static_cast<std::size_t>(std::bit_width((size - 1) / Block::kSmallest));
}

}  // namespace

Block::Block(std::size_t size) {
  if (size > kLargest) {
    data_ = static_cast<char*>(::operator new(size));
    capacity_ = size;
    return;
  }
  const std::size_t list = list_for(size);
  data_ = static_cast<char*>(Lists::allocate(list));
  capacity_ = BlockSizes::size_of(list);
}

void Block::release() noexcept {
  char* const data = std::exchange(data_, nullptr);
  const std::size_t capacity = std::exchange(capacity_, 0);
  if (capacity <= kLargest) {
    Lists::release(data, list_for(capacity));
  } else {
    ::operator delete(data);
  }
}

}  // namespace squall
