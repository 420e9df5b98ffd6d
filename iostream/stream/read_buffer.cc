#include <squall/iostream/stream/read_buffer.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kLongRead = 256 * 1024;

// The thread's receive buffer. The end of the thread frees the memory, but runs no destructor: streams that
// are destroyed later may receive too.
union SharedBlock {
  constexpr SharedBlock() noexcept : block() {}
  ~SharedBlock() {}
  Block block;
};
constinit thread_local SharedBlock t_shared;

struct ReadBlockCloser {
  ~ReadBlockCloser() { t_shared.block.reset(); }
};

[[gnu::noinline]] void make_shared_block() {
  [[maybe_unused]] static thread_local const ReadBlockCloser closer;  // destroyed when the thread ends
  t_shared.block = Block(Block::kLargest);
}

}  // namespace

[[gnu::hot]] std::span<char> ReadBuffer::prepare(std::size_t wanted) {
  keep();
  if (empty()) begin_ = end_ = 0;
  // A long read gets room in advance, but never more than the bytes that have arrived. So a peer that
  // announces many bytes and sends few costs little memory. A shorter read is received in the thread's
  // buffer and appended.
  if (wanted > Block::kLargest && room() < kRoom) [[unlikely]]
    move_to(size() + std::min(wanted, std::max(size(), kLongRead)));
  if (begin_ > 0 && room() < kRoom && size() <= begin_) [[unlikely]]
    move_to(block_.capacity());
  if (room() >= kRoom) [[unlikely]] {
    place_ = Place::own;
    return {block_.data() + end_, room()};
  }
  if (!t_shared.block) [[unlikely]]
    make_shared_block();
  place_ = Place::offered;
  return {t_shared.block.data(), t_shared.block.capacity()};
}

[[gnu::hot]] void ReadBuffer::commit_shared(std::size_t received) {
  if (place_ != Place::offered || !empty()) [[unlikely]]
    return commit(received);
  place_ = Place::borrowed;
  block_ = std::move(t_shared.block);
  begin_ = 0;
  end_ = received;
}

void ReadBuffer::prepend(std::string_view bytes) {
  const std::string_view unread = view();
  Block together(bytes.size() + unread.size());
  bytes.copy(together.data(), bytes.size());
  unread.copy(together.data() + bytes.size(), unread.size());
  const std::size_t total = bytes.size() + unread.size();
  begin_ = end_;
  keep();
  block_ = std::move(together);
  begin_ = 0;
  end_ = total;
}

[[gnu::hot]] void ReadBuffer::give_back() noexcept {
  place_ = Place::own;
  if (empty() && !t_shared.block) [[likely]] {
    t_shared.block = std::move(block_);
    begin_ = end_ = 0;
    return;
  }
  // Large unread data keeps the block, and the thread takes another block.
  if (!empty() && !is_oversized()) return;
  const std::string_view unread = view();
  Block kept;
  try {
    if (!unread.empty()) kept = Block(unread.size());
  } catch (const std::bad_alloc&) {
    return;  // no memory for a copy either
  }
  unread.copy(kept.data(), unread.size());
  if (!t_shared.block) t_shared.block = std::move(block_);
  block_ = std::move(kept);
  begin_ = 0;
  end_ = unread.size();
}

void ReadBuffer::commit(std::size_t received) {
  if (std::exchange(place_, Place::own) != Place::offered) {
    end_ += received;
    return;
  }
  if (empty() && received > kSmall) {
    block_ = std::move(t_shared.block);
    begin_ = 0;
    end_ = received;
    return;
  }
  if (room() < received) {
    if (empty()) {
      block_ = Block(received);
      begin_ = end_ = 0;
    } else {
      // Doubled, so that each byte of many small pieces is copied a bounded number of times.
      move_to(std::max(size() + received, size() * 2));
    }
  }
  std::memcpy(block_.data() + end_, t_shared.block.data(), received);
  end_ += received;
}

void ReadBuffer::shrink() noexcept {
  if (empty()) {
    block_.reset();
    begin_ = end_ = 0;
    return;
  }
  try {
    if (is_oversized()) move_to(size());
  } catch (const std::bad_alloc&) {
    // No memory for the smaller block: the large block stays.
  }
}

void ReadBuffer::move_to(std::size_t capacity) {
  const std::size_t unread = size();
  if (capacity == block_.capacity()) {
    std::memmove(block_.data(), block_.data() + begin_, unread);
  } else if (capacity == 0) {
    block_ = Block();
  } else {
    Block other(capacity);
    if (unread > 0) std::memcpy(other.data(), block_.data() + begin_, unread);
    block_ = std::move(other);
  }
  begin_ = 0;
  end_ = unread;
}

}  // namespace squall
