#include <squall/ioloop/base/frame_pool.h>

#include <squall/ioloop/base/block_lists.h>

#include <new>

namespace squall {
namespace {

// List n has the blocks of n * kGrain bytes.
struct FrameSizes {
  static constexpr std::size_t kGrain = 32;
  static constexpr std::size_t kLists = 64;  // up to 2 KiB; larger blocks are not kept
  static constexpr std::size_t kListBytes = 64 * 1024;
  static constexpr std::size_t size_of(std::size_t list) noexcept { return list * kGrain; }
};
using FrameLists = BlockLists<FrameSizes>;

constexpr std::size_t list_of(std::size_t size) noexcept {
  return (size + FrameSizes::kGrain - 1) / FrameSizes::kGrain;
}

}  // namespace

[[gnu::hot]] void* FramePool::allocate(std::size_t size) {
  const std::size_t list = list_of(size);
  return list < FrameSizes::kLists ? FrameLists::allocate(list) : ::operator new(size);
}

[[gnu::hot]] void FramePool::release(void* block, std::size_t size) noexcept {
  const std::size_t list = list_of(size);
  if (list < FrameSizes::kLists) {
    FrameLists::release(block, list);
  } else {
    ::operator delete(block);
  }
}

}  // namespace squall
