#pragma once

#include <cstddef>

namespace squall {

// Memory for coroutine frames and other short-lived objects, from free lists of the calling thread
// (BlockLists).
//
// Thread:    any. A block may be released on another thread than the one that allocated it.
// Errors:    std::bad_alloc.
class FramePool {
 public:
  static void* allocate(std::size_t size);
  // `size` is the size that allocate() was called with.
  static void release(void* block, std::size_t size) noexcept;
};

// Base class of objects whose `new` and `delete` use the pool.
struct Pooled {
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept { FramePool::release(block, size); }
};

}  // namespace squall
