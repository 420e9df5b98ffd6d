#include <squall/websocket/codec/mask_blocks.h>

#include <immintrin.h>

namespace squall::websocket::detail {
namespace {

[[gnu::target("avx2"), gnu::always_inline]] inline void mask_vector(char* to, const char* from,
                                                                    const __m256i& key) noexcept {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(bytes, key));
}

// 16 KiB take 1,400 instructions; with the vectors of every x86-64 processor they take 4,100.
[[gnu::target("avx2")]] std::size_t mask_blocks_avx2(char* to, const char* from, std::size_t size,
                                                     std::uint64_t key) noexcept {
  const __m256i keys = _mm256_set1_epi64x(static_cast<long long>(key));
  std::size_t at = 0;
  for (; size - at >= 2 * kMaskBlock; at += 2 * kMaskBlock) {
    mask_vector(to + at, from + at, keys);
    mask_vector(to + at + 32, from + at + 32, keys);
    mask_vector(to + at + 64, from + at + 64, keys);
    mask_vector(to + at + 96, from + at + 96, keys);
  }
  if (size - at >= kMaskBlock) {
    mask_vector(to + at, from + at, keys);
    mask_vector(to + at + 32, from + at + 32, keys);
    at += kMaskBlock;
  }
  return at;
}

}  // namespace

std::size_t mask_blocks(char* to, const char* from, std::size_t size, std::uint64_t key) noexcept {
  // Reads a variable that the compiler's library has set at the start of the program.
  if (__builtin_cpu_supports("avx2")) return mask_blocks_avx2(to, from, size, key);
  return mask_blocks_plain(to, from, size, key);
}

}  // namespace squall::websocket::detail
