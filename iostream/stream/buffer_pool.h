#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace squall {

// A block of memory for bytes, from this thread's free lists.
//
// Sizes are powers of two. Blocks larger than kLargest are not recycled; under AddressSanitizer no block is.
class Block {
 public:
  static constexpr std::size_t kSmallest = 256;
  static constexpr std::size_t kLargest = 64 * 1024;

  Block() noexcept = default;
  // At least `size` bytes. Throws std::bad_alloc.
  explicit Block(std::size_t size);
  Block(Block&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    if (this != &other) {
      reset();
      data_ = std::exchange(other.data_, nullptr);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  ~Block() { reset(); }

  char* data() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }
  explicit operator bool() const noexcept { return data_ != nullptr; }
  void reset() noexcept {
    if (data_) release();
  }

 private:
  void release() noexcept;

  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace squall
