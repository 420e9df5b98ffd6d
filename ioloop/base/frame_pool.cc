#include <squall/ioloop/base/frame_pool.h>

#include <squall/ioloop/base/sanitizer.h>

#include <new>

namespace squall {
namespace {

constexpr bool kRecycle = !kAddressSanitizer;

}  // namespace

constinit thread_local FramePool::Lists FramePool::lists_{};

// Empties the lists when its thread ends. What is released after that, by thread-local objects that die
// later, goes straight to the heap.
struct FramePool::Closer {
  ~Closer() {
    lists_.state = Lists::State::closed;
    for (Node*& first : lists_.first) {
      while (first) {
        Node* next = first->next;
        ::operator delete(first);
        first = next;
      }
    }
  }
};

[[gnu::hot]] void* FramePool::allocate(std::size_t size) {
  const std::size_t list = (size + kGrain - 1) / kGrain;
  if (!kRecycle || list >= kLists) [[unlikely]]
    return ::operator new(size);
  Node*& first = lists_.first[list];
  if (!first) [[unlikely]]
    return ::operator new(list * kGrain);
  Node* block = first;
  first = block->next;
  --lists_.length[list];
  return block;
}

[[gnu::hot]] void FramePool::release(void* block, std::size_t size) noexcept {
  const std::size_t list = (size + kGrain - 1) / kGrain;
  if (!kRecycle || list >= kLists) [[unlikely]] {
    ::operator delete(block);
    return;
  }
  if (lists_.state != Lists::State::open || lists_.length[list] * list >= kListBytes / kGrain) [[unlikely]] {
    release_slowly(block, list);
    return;
  }
  lists_.first[list] = ::new (block) Node{lists_.first[list]};
  ++lists_.length[list];
}

void FramePool::release_slowly(void* block, std::size_t list) noexcept {
  if (lists_.state == Lists::State::fresh) {
    static thread_local Closer closer;  // constructed by passing here, destroyed when the thread ends
    lists_.state = Lists::State::open;
    release(block, list * kGrain);
    return;
  }
  ::operator delete(block);
}

}  // namespace squall
