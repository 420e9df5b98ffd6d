#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/stream/buffer_pool.h>

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

// A part of a file, to be sent.
struct FileSlice {
  OwnedFd fd;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Bytes that many streams may send, stored once.
using SharedBytes = std::shared_ptr<const std::string>;

// The bytes a stream has yet to send. Exists only while there are some.
//
// Most are copied one behind the other into a block. Behind that, in the order they came, stand the pieces
// that are sent from where they are: strings that were moved in, shared ones, and files; and blocks with what
// was copied after them.
class WriteBuffer : public Pooled {
 public:
  // Each thread keeps one with the memory it last had: a stream that sends what it wrote within one turn, as
  // most do, makes no other.
  static std::unique_ptr<WriteBuffer> take();
  static void give_back(std::unique_ptr<WriteBuffer> buffer) noexcept;

  // Bytes to be sent; and those of them that take memory, which a file's do not.
  std::uint64_t size() const noexcept { return end_ - begin_ + behind_size_; }
  std::uint64_t size_in_memory() const noexcept { return size() - file_size_; }
  bool empty() const noexcept { return size() == 0; }
  // Of the blocks that hold what was copied.
  std::size_t capacity() const noexcept;

  // Room for `count` bytes behind those that are there; commit() adds what was written to it.
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
  // Without copying: the bytes of `data` from `begin` on, of which there are some. If one throws it has taken
  // nothing.
  void append(std::string&& data, std::size_t begin);
  void append(SharedBytes data, std::size_t begin);
  void append(FileSlice file);

  // The first bytes in memory, in as many pieces as fit and up to the first file: the count of pieces.
  std::size_t gather(std::span<std::string_view> pieces) const noexcept;
  // All bytes, if they are in one piece that was copied; empty if not.
  std::string_view only_piece() const noexcept {
    return behind_.empty() ? std::string_view(block_.data() + begin_, end_ - begin_) : std::string_view();
  }
  // The file whose bytes come next; null if others do.
  const FileSlice* file() const noexcept { return behind_.empty() ? nullptr : next_file(); }
  // Puts the next bytes of the file that comes next into memory: at most `count`. The count, 0 at the end of
  // the file, -1 and errno.
  ssize_t load_file(std::size_t count);
  // The first `count` bytes are sent.
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
    std::size_t begin = 0;  // not of a file, whose offset says it

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
  std::size_t front_ = 0;  // index in behind_ of the first that is not sent
  std::uint64_t behind_size_ = 0;
  std::uint64_t file_size_ = 0;
};

}  // namespace squall
