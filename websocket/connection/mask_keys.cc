#include <squall/websocket/connection/mask_keys.h>

#include <squall/ioloop/base/random_bytes.h>

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

namespace squall::websocket {
namespace {

constexpr std::size_t kTaken = 256;

// Counts the forks between the first process and this one.
constinit std::atomic<unsigned> forks{0};

// Each fork is counted from the first call on. Without memory for that, keys are never kept.
bool counts_forks() noexcept {
  static const bool is_counting =
      ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); }) == 0;
  return is_counting;
}

// The random bytes that a thread has taken from the system.
struct Pool {
  std::array<char, kTaken> bytes;
  std::size_t used = kTaken;
  unsigned forks = 0;  // when the bytes were taken
};

constinit thread_local Pool pool{};

}  // namespace

MaskKey next_mask_key() {
  const unsigned present = forks.load(std::memory_order_relaxed);
  if (pool.used == kTaken || pool.forks != present) {
    const bool may_keep = counts_forks();
    pool.bytes = squall::detail::random_bytes<kTaken>();
    pool.forks = present;
    pool.used = may_keep ? 0 : kTaken - MaskKey().size();
  }
  MaskKey key;
  std::copy_n(pool.bytes.begin() + static_cast<std::ptrdiff_t>(pool.used), key.size(), key.begin());
  pool.used += key.size();
  return key;
}

}  // namespace squall::websocket
