#include <squall/ioloop/base/block_lists.h>

#include <cstring>
#include <thread>
#include <vector>

#include "support/catch.h"

namespace squall::block_lists_test {
namespace {

// The lists of one test: each test uses its own type `Test`.
template <class Test>
struct Sizes {
  static constexpr std::size_t kLists = 3;
  static constexpr std::size_t kListBytes = 256;
  static constexpr std::size_t size_of(std::size_t list) noexcept { return std::size_t{64} << list; }
};
template <class Test>
using Lists = BlockLists<Sizes<Test>>;

TEST_CASE("a released block is allocated again from its own list only", "[block_lists]") {
  using Blocks = Lists<struct Reuse>;
  void* const small = Blocks::allocate(0);
  void* const large = Blocks::allocate(2);
  std::memset(small, 1, 64);
  std::memset(large, 1, 256);
  Blocks::release(large, 2);
  Blocks::release(small, 0);
  void* const again = Blocks::allocate(0);
  if (!kAddressSanitizer) CHECK(again == small);
  void* const large_again = Blocks::allocate(2);
  if (!kAddressSanitizer) CHECK(large_again == large);
  Blocks::release(again, 0);
  Blocks::release(large_again, 2);
}

TEST_CASE("a list keeps a limited number of bytes", "[block_lists]") {
  using Blocks = Lists<struct FewBlocks>;
  std::vector<void*> blocks(100);
  for (void*& block : blocks) block = Blocks::allocate(1);
  for (void* block : blocks) Blocks::release(block, 1);
  // Two blocks of 128 bytes were kept, and are taken in reverse order.
  void* const first = Blocks::allocate(1);
  void* const second = Blocks::allocate(1);
  if (!kAddressSanitizer) {
    CHECK(first == blocks[1]);
    CHECK(second == blocks[0]);
  }
  Blocks::release(first, 1);
  Blocks::release(second, 1);
}

TEST_CASE("a block may be released on another thread, and after that thread's lists were destroyed",
          "[block_lists][threads]") {
  using Blocks = Lists<struct Threads>;
  void* const block = Blocks::allocate(1);
  std::thread([block] {
    struct ReleasedLate {
      ~ReleasedLate() {
        if (block) Blocks::release(block, 1);
      }
      void* block = nullptr;
    };
    // Constructed before the thread's lists, so destroyed after them.
    static thread_local ReleasedLate late;
    late.block = block;
    Blocks::release(Blocks::allocate(1), 1);
  }).join();
}

}  // namespace
}  // namespace squall::block_lists_test
