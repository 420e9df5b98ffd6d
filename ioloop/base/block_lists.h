#pragma once

#include <squall/ioloop/base/sanitizer.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace squall {

// Memory blocks of a few sizes, from free lists of the calling thread: one list a size.
//
//     struct Sizes {
//       static constexpr std::size_t kLists = 4;              // lists are numbered from 0
//       static constexpr std::size_t kListBytes = 64 * 1024;  // the most that each list keeps
//       static constexpr std::size_t size_of(std::size_t list) { return 32 << list; }  // bytes
//     };
//     void* block = BlockLists<Sizes>::allocate(2);  // 128 bytes
//
// A block may be released on another thread than the one that allocated it, and joins that thread's list. The
// lists are emptied when the thread ends. Under AddressSanitizer no block is kept, so that a use after free
// is found.
//
// Thread:    any; each thread has its own lists.
template <class Sizes>
class BlockLists {
 public:
  // Throws std::bad_alloc.
  static void* allocate(std::size_t list) {
    if (kAddressSanitizer || !lists_.first[list]) [[unlikely]]
      return ::operator new(Sizes::size_of(list));
    --lists_.length[list];
    return std::exchange(lists_.first[list], lists_.first[list]->next);
  }
  // `list` is the one that allocate() was called with.
  static void release(void* block, std::size_t list) noexcept {
    if (kAddressSanitizer || lists_.state != State::open ||
        lists_.length[list] * Sizes::size_of(list) >= Sizes::kListBytes) [[unlikely]] {
      release_slowly(block, list);
      return;
    }
    lists_.first[list] = ::new (block) Node{lists_.first[list]};
    ++lists_.length[list];
  }

 private:
  struct Node {
    Node* next;
  };
  enum class State : std::uint8_t { fresh, open, closed };
  // Trivially destructible, so that thread-local objects that are destroyed late can still use it.
  struct Lists {
    std::array<Node*, Sizes::kLists> first;
    std::array<std::uint16_t, Sizes::kLists> length;
    State state;
  };
  static_assert(Sizes::kListBytes / sizeof(Node) < 65536, "`length` must hold the number of blocks");

  // Empties the lists when the thread ends. Blocks released after that go to the heap.
  struct Closer {
    ~Closer() {
      lists_.state = State::closed;
      for (Node*& first : lists_.first)
        while (first) ::operator delete(std::exchange(first, first->next));
    }
  };

  [[gnu::noinline]] static void release_slowly(void* block, std::size_t list) noexcept {
    if (!kAddressSanitizer && lists_.state == State::fresh) {
      static thread_local Closer closer;  // constructed here, destroyed when the thread ends
      lists_.state = State::open;
      release(block, list);
      return;
    }
    ::operator delete(block);
  }

  static constinit thread_local Lists lists_;
};

template <class Sizes>
constinit thread_local typename BlockLists<Sizes>::Lists BlockLists<Sizes>::lists_{};

}  // namespace squall
