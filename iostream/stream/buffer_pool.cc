#include <squall/iostream/stream/buffer_pool.h>

#include <squall/ioloop/base/sanitizer.h>

#include <array>
#include <bit>
#include <new>

namespace squall {
namespace {

constexpr bool kRecycle = !kAddressSanitizer;
constexpr std::size_t kLists = std::countr_zero(Block::kLargest / Block::kSmallest) + 1;
// The most bytes that one list keeps: enough for a turn of a busy loop, and little beside the memory of ten
// thousand connections.
constexpr std::size_t kListBytes = 256 * 1024;

struct Node {
  Node* next;
};

// Trivially destructible, so that thread-local objects that are destroyed late can still use it; Closer
// empties it.
struct Lists {
  std::array<Node*, kLists> first;
  std::array<std::uint16_t, kLists> length;
  enum class State : std::uint8_t { fresh, open, closed } state;
};
constinit thread_local Lists t_lists{};

struct Closer {
  ~Closer() {
    t_lists.state = Lists::State::closed;
    for (Node*& first : t_lists.first) {
      while (first) ::operator delete(std::exchange(first, first->next));
    }
  }
};

std::size_t list_of(std::size_t capacity) noexcept {
  return static_cast<std::size_t>(std::countr_zero(capacity / Block::kSmallest));
}

bool open_lists() noexcept {
  if (t_lists.state == Lists::State::closed) return false;
  static thread_local Closer closer;
  t_lists.state = Lists::State::open;
  return true;
}

}  // namespace

Block::Block(std::size_t size) {
  if (size > kLargest) {
    data_ = static_cast<char*>(::operator new(size));
    capacity_ = size;
    return;
  }
  const std::size_t capacity = size <= kSmallest ? kSmallest : std::bit_ceil(size);
  const std::size_t list = list_of(capacity);
  if (Node* node = t_lists.first[list]) {
    t_lists.first[list] = node->next;
    --t_lists.length[list];
    data_ = reinterpret_cast<char*>(node);
  } else {
    data_ = static_cast<char*>(::operator new(capacity));
  }
  capacity_ = capacity;
}

void Block::release() noexcept {
  char* const data = std::exchange(data_, nullptr);
  const std::size_t capacity = std::exchange(capacity_, 0);
  if (kRecycle && capacity <= kLargest && (t_lists.state == Lists::State::open || open_lists())) {
    const std::size_t list = list_of(capacity);
    if (t_lists.length[list] * capacity < kListBytes) {
      t_lists.first[list] = ::new (data) Node{t_lists.first[list]};
      ++t_lists.length[list];
      return;
    }
  }
  ::operator delete(data);
}

}  // namespace squall
