#pragma once

#include <squall/iostream/stream/buffer_pool.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace squall {

// The bytes a stream has received. Those not yet consumed come first to last in one piece.
//
// Fresh bytes usually arrive in this thread's shared receive buffer, of 64 KiB. A small piece of them is
// copied into a block of its own size, a large one keeps the buffer itself, and the thread takes another: so
// nothing large is copied, and a stream without unread bytes owns no memory. Who is quick may also borrow the
// shared buffer, read them where they are, and have only the rest copied: whoever else receives meanwhile
// finds another one.
class ReadBuffer {
 public:
  // Unread bytes.
  std::string_view view() const noexcept { return {data_ + begin_, end_ - begin_}; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  // Takes the first `count` bytes, of those that are there. They stay where they are until the next call of
  // prepare(), settle() or keep().
  std::string_view consume(std::size_t count) noexcept {
    const std::string_view taken = view().substr(0, count);
    begin_ += taken.size();
    return taken;
  }
  // How many bytes unread() can give back at most.
  std::size_t taken() const noexcept { return begin_; }
  // Gives back the last `count` bytes that the last consume() took.
  void unread(std::size_t count) noexcept { begin_ -= count; }

  // Where to receive up to about `wanted` bytes (more or fewer, at least one). commit() says how many came.
  std::span<char> prepare(std::size_t wanted);
  void commit(std::size_t received);
  // The same, but bytes in the shared buffer stay there, which is borrowed until keep() is called, soon.
  void commit_shared(std::size_t received);
  // Puts bytes that were taken before in front again.
  void prepend(std::string_view bytes);
  // Gives the shared buffer back, if it is borrowed, and keeps what is unread.
  void keep() noexcept {
    if (borrowed_) give_back();
  }

  // For a stream that is about to wait, for an unknown time: gives back the memory it does not need.
  void settle() noexcept {
    keep();
    if (block_) shrink();
  }

 private:
  // Up to this many bytes are copied out of the shared buffer: some 40 ns, against a page of memory or more.
  static constexpr std::size_t kSmall = 4096;
  // With this much room behind the unread bytes they are received in place.
  static constexpr std::size_t kRoom = 16 * 1024;

  std::size_t room() const noexcept { return block_.capacity() - end_; }
  // Worth a copy.
  bool is_oversized() const noexcept { return block_.capacity() > kSmall && size() <= block_.capacity() / 4; }
  void give_back() noexcept;
  void shrink() noexcept;
  void own(Block block) noexcept;
  void move_to(std::size_t capacity);

  Block block_;
  char* data_ = nullptr;  // the block's
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool in_shared_ = false;  // the last prepare() handed out the shared buffer
  bool borrowed_ = false;   // the block is the shared buffer
};

}  // namespace squall
