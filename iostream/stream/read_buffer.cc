#include <squall/iostream/stream/read_buffer.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kLongRead = 256 * 1024;

thread_local Block t_shared;

}  // namespace

[[gnu::hot]] std::span<char> ReadBuffer::prepare(std::size_t wanted) {
  keep();
  if (empty()) begin_ = end_ = 0;
  // A long read gets room ahead, but never more than has come already: a peer that only promises much makes
  // us hold little. A shorter one is received aside and appended.
  if (wanted > Block::kLargest && room() < kRoom) [[unlikely]]
    move_to(size() + std::min(wanted, std::max(size(), kLongRead)));
  if (begin_ > 0 && room() < kRoom && size() <= begin_) [[unlikely]]
    move_to(block_.capacity());
  in_shared_ = room() < kRoom;
  if (!in_shared_) [[unlikely]]
    return {data_ + end_, room()};
  if (!t_shared) [[unlikely]]
    t_shared = Block(Block::kLargest);
  return {t_shared.data(), t_shared.capacity()};
}

[[gnu::hot]] void ReadBuffer::commit_shared(std::size_t received) {
  if (!in_shared_ || !empty()) [[unlikely]]
    return commit(received);
  in_shared_ = false;
  borrowed_ = true;
  own(std::move(t_shared));
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
  own(std::move(together));
  begin_ = 0;
  end_ = total;
}

[[gnu::hot]] void ReadBuffer::give_back() noexcept {
  borrowed_ = false;
  if (empty() && !t_shared) [[likely]] {
    t_shared = std::move(block_);
    data_ = nullptr;
    begin_ = end_ = 0;
    return;
  }
  // So much stays where it is, and the thread takes another block.
  if (!empty() && !is_oversized()) return;
  const std::string_view unread = view();
  Block kept;
  try {
    if (!unread.empty()) kept = Block(unread.size());
  } catch (const std::bad_alloc&) {
    return;  // nor is there memory for a copy
  }
  unread.copy(kept.data(), unread.size());
  if (!t_shared) t_shared = std::move(block_);
  own(std::move(kept));
  begin_ = 0;
  end_ = unread.size();
}

void ReadBuffer::commit(std::size_t received) {
  if (!std::exchange(in_shared_, false)) {
    end_ += received;
    return;
  }
  if (empty() && received > kSmall) {
    own(std::move(t_shared));
    begin_ = 0;
    end_ = received;
    return;
  }
  // Doubled, so that bytes that come in many pieces are copied a bounded number of times.
  if (room() < received) move_to(empty() ? received : std::max(size() + received, size() * 2));
  std::memcpy(data_ + end_, t_shared.data(), received);
  end_ += received;
}

void ReadBuffer::shrink() noexcept {
  try {
    if (empty() || is_oversized()) move_to(size());
  } catch (const std::bad_alloc&) {
    // No memory to give memory back with.
  }
}

void ReadBuffer::own(Block block) noexcept {
  block_ = std::move(block);
  data_ = block_.data();
}

void ReadBuffer::move_to(std::size_t capacity) {
  const std::size_t unread = size();
  if (capacity == block_.capacity()) {
    std::memmove(data_, data_ + begin_, unread);
  } else if (capacity == 0) {
    own(Block());
  } else {
    Block other(capacity);
    if (unread > 0) std::memcpy(other.data(), data_ + begin_, unread);
    own(std::move(other));
  }
  begin_ = 0;
  end_ = unread;
}

}  // namespace squall
