#include <squall/iostream/read_buffer.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kLongRead = 256 * 1024;

thread_local Block t_shared;

}  // namespace

std::span<char> ReadBuffer::prepare(std::size_t wanted) {
  if (empty()) begin_ = end_ = 0;
  // A long read gets room ahead, but never more than has come already: a peer that only promises much makes
  // us hold little. A shorter one is received aside and appended.
  if (wanted > Block::kLargest && room() < kRoom)
    move_to(size() + std::min(wanted, std::max(size(), kLongRead)));
  if (begin_ > 0 && room() < kRoom && size() <= begin_) move_to(block_.capacity());
  in_shared_ = room() < kRoom;
  if (!in_shared_) return {block_.data() + end_, room()};
  if (!t_shared) t_shared = Block(Block::kLargest);
  return {t_shared.data(), t_shared.capacity()};
}

void ReadBuffer::commit(std::size_t received) {
  if (!std::exchange(in_shared_, false)) {
    end_ += received;
    return;
  }
  if (empty() && received > kSmall) {
    block_ = std::move(t_shared);
    begin_ = 0;
    end_ = received;
    return;
  }
  // Doubled, so that bytes that come in many pieces are copied a bounded number of times.
  if (room() < received) move_to(empty() ? received : std::max(size() + received, size() * 2));
  std::memcpy(block_.data() + end_, t_shared.data(), received);
  end_ += received;
}

void ReadBuffer::settle() noexcept {
  if (!block_) return;
  if (empty()) {
    block_.reset();
    begin_ = end_ = 0;
  } else if (block_.capacity() > kSmall && size() <= block_.capacity() / 4) {
    try {
      move_to(size());
    } catch (const std::bad_alloc&) {
      // No memory to give memory back with.
    }
  }
}

void ReadBuffer::move_to(std::size_t capacity) {
  const std::size_t unread = size();
  if (capacity == block_.capacity()) {
    std::memmove(block_.data(), block_.data() + begin_, unread);
  } else {
    Block larger(capacity);
    if (unread > 0) std::memcpy(larger.data(), block_.data() + begin_, unread);
    block_ = std::move(larger);
  }
  begin_ = 0;
  end_ = unread;
}

}  // namespace squall
