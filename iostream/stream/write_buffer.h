#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/iostream/stream/buffer_pool.h>
#include <squall/iostream/stream/file_slice.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace squall {

// Bytes that many streams may send, stored once.
using SharedBytes = std::shared_ptr<const std::string>;

// The bytes that a stream has yet to send. Exists only while bytes wait.
//
// Most bytes are copied one after the other into a block. A list has the pieces behind the block, in the
// order of the writes: pieces that are sent without a copy (strings that were moved in, shared strings,
// files), and further blocks of copied bytes.
class WriteBuffer : public Pooled {
 public:
  // Each thread keeps one spare buffer with its block. Most streams send within one turn all bytes that
  // they wrote, so they allocate no buffer.
  static std::unique_ptr<WriteBuffer> take();
  static void give_back(std::unique_ptr<WriteBuffer> buffer) noexcept;

  // The count of bytes to be sent; and the count of those in memory, which excludes files.
  std::uint64_t size() const noexcept { return end_ - begin_ + behind_size_; }
  std::uint64_t size_in_memory() const noexcept { return size() - file_size_; }
  bool empty() const noexcept { return size() == 0; }
  // The capacity of the blocks that hold copied bytes.
  std::size_t capacity() const noexcept;

  // Memory for `count` bytes at the end; commit() adds its first bytes.
  char* reserve(std::size_t count) {
    if (!behind_.empty()) return reserve_behind(count);
    if (block_.capacity() - end_ < count) make_room(count);
    return block_.data() + end_;
  }
  void commit(std::size_t count) noexcept {
    if (behind_.empty()) {
      end_ += count;
    } else {
      commit_behind(count);
    }
  }
  void append(std::string_view data) { commit(data.copy(reserve(data.size()), data.size())); }
  // Adds, without a copy, the bytes of `data` from `begin` on, at least one. If this throws, `data` is
  // unchanged.
  void append(std::string&& data, std::size_t begin);
  void append(SharedBytes data, std::size_t begin);
  void append(FileSlice file);

  // The first bytes, up to the first file, in as many pieces as fit into `pieces`. Returns their count.
  std::size_t gather(std::span<std::string_view> pieces) const noexcept;
  // All bytes if all are in the first block, otherwise empty.
  std::string_view only_piece() const noexcept {
    return behind_.empty() ? std::string_view(block_.data() + begin_, end_ - begin_) : std::string_view();
  }
  // The file whose bytes come next; null if bytes in memory come next.
  const FileSlice* file() const noexcept { return behind_.empty() ? nullptr : next_file(); }
  // Reads the next bytes of file() into memory, at most `count`. Returns their count, 0 at the end of the
  // file, or -1 and errno.
  ssize_t load_file(std::size_t count);
  // Drops the first `count` bytes, which are sent.
  void consume(std::uint64_t count) noexcept {
    if (count > end_ - begin_) return consume_behind(count);
    begin_ += static_cast<std::size_t>(count);
  }

 private:
  struct Copied {
    Block block;
    std::size_t end = 0;
  };
  struct Piece {
    std::variant<Copied, std::string, SharedBytes, FileSlice> bytes;
    std::size_t begin = 0;  // offset of the unsent bytes; 0 for a file, whose own offset advances

    std::string_view view() const noexcept;
    std::uint64_t size() const noexcept;
  };

  void make_room(std::size_t count);
  char* reserve_behind(std::size_t count);
  void commit_behind(std::size_t count) noexcept;
  const FileSlice* next_file() const noexcept;
  void consume_behind(std::uint64_t count) noexcept;
  void append_piece(Piece piece);
  void drop_front() noexcept;

  Block block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::vector<Piece> behind_;
  std::size_t front_ = 0;  // index in behind_ of the first piece that is not sent
  std::uint64_t behind_size_ = 0;
  std::uint64_t file_size_ = 0;
};

}  // namespace squall
