#include <squall/ioloop/base/frame_pool.h>

#include <cstring>
#include <thread>
#include <vector>

#include "support/test_loop.h"

namespace squall::frame_pool_test {
namespace {

TEST_CASE("blocks of every size can be written to their last byte", "[frame_pool]") {
  for (const std::size_t size : {1, 31, 32, 33, 64, 500, 2015, 2016, 2017, 4096, 100'000}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 10; ++i) {
      blocks.push_back(FramePool::allocate(size));
      std::memset(blocks.back(), 0xA5, size);
    }
    for (void* block : blocks) FramePool::release(block, size);
  }
}

TEST_CASE("more blocks than a list keeps can be released", "[frame_pool]") {
  std::vector<void*> blocks(10'000);
  for (void*& block : blocks) block = FramePool::allocate(512);
  for (void* block : blocks) FramePool::release(block, 512);
}

TEST_CASE("a block may be released on another thread, and late in a thread's life", "[frame_pool][threads]") {
  void* block = FramePool::allocate(200);
  std::thread([block] {
    struct ReleasedLate {
      ~ReleasedLate() {
        if (block) FramePool::release(block, 200);
      }
      void* block = nullptr;
    };
    // Constructed before the pool's own thread-local object, so destroyed after it.
    static thread_local ReleasedLate late;
    late.block = block;
    FramePool::release(FramePool::allocate(200), 200);
  }).join();
}

}  // namespace
}  // namespace squall::frame_pool_test
