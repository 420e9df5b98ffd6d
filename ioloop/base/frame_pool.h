#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace squall {

// Memory for coroutine frames and other short-lived objects: free lists of this thread, by size.
//
// A block may be released on another thread than the one that took it; it then joins that thread's lists.
// Each list keeps a bounded number of bytes, and all are emptied when the thread ends. Under AddressSanitizer
// nothing is recycled, so that a use after free is seen.
class FramePool {
 public:
  static void* allocate(std::size_t size);
  // `size` is what allocate() was given.
  static void release(void* block, std::size_t size) noexcept;

 private:
  static constexpr std::size_t kGrain = 32;
  static constexpr std::size_t kLists = 64;             // up to 2 KiB; larger blocks are not recycled
  static constexpr std::size_t kListBytes = 64 * 1024;  // what one list keeps

  struct Node {
    Node* next;
  };
  struct Lists {
    std::array<Node*, kLists> first;
    std::array<std::uint16_t, kLists> length;
    enum class State : std::uint8_t { fresh, open, closed } state;
  };
  struct Closer;

  static void release_slowly(void* block, std::size_t list) noexcept;

  static constinit thread_local Lists lists_;
};

// Gives its derived classes `new` and `delete` from the pool.
struct Pooled {
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept { FramePool::release(block, size); }
};

}  // namespace squall
