#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/iostream/stream/buffer_pool.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace squall::detail {

// TLS records on their way to the descriptor, and the offsets at which the records of a send() end.
class TLSRecords : public Pooled {
 public:
  static constexpr std::size_t kRecord = 16 * 1024;  // the most plaintext bytes of a record (RFC 8446, 5.1)
  // The most records that are encrypted together: with their overhead they fit into the largest block that
  // is recycled.
  static constexpr std::size_t kMost = 3;

  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  std::string_view bytes() const noexcept { return {block_.data() + begin_, size()}; }
  bool is_full() const noexcept { return records_end_ == kMost; }

  // Adds ciphertext. Throws std::bad_alloc.
  void append(std::string_view bytes);
  // Makes room for kMost whole records. Throws std::bad_alloc.
  void reserve_all() {
    if (!block_) block_ = Block(Block::kLargest);
  }
  // The ciphertext so far ends a record of `plain` bytes of a send().
  void end_record(std::size_t plain) noexcept { records_[records_end_++] = {end_, plain}; }

  // Drops the first `count` bytes, which are sent. Returns the plaintext bytes of the records that are now
  // sent completely.
  std::size_t consume(std::size_t count) noexcept;
  void clear() noexcept { begin_ = end_ = records_begin_ = records_end_ = 0; }
  // Moves the bytes to a smaller block if most of their block is unused. Throws std::bad_alloc.
  void shrink() {
    if (size() <= block_.capacity() / 4) move_to(Block(size()));
  }

 private:
  struct Record {
    std::size_t end;  // the end of its ciphertext
    std::size_t plain;
  };
  void move_to(Block other) noexcept;

  Block block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<Record, kMost> records_;
  std::size_t records_begin_ = 0;
  std::size_t records_end_ = 0;
};

}  // namespace squall::detail
