#pragma once

#include <squall/iostream/stream/buffer_pool.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace squall {

// The bytes that a stream has received. The unread bytes are contiguous.
//
// Bytes usually arrive in the thread's receive buffer, of 64 KiB. A small piece is copied into a block of its
// own size. A large piece keeps the receive buffer as its block, and the thread takes another buffer. So
// large pieces are not copied, and a stream without unread bytes owns no memory. A reader may also borrow
// the receive buffer for a short time and read the bytes there; keep() then copies only the unread bytes.
// Another stream that receives meanwhile gets another receive buffer.
//
// | place    | meaning                                                | ended by                 | next     |
// |----------|--------------------------------------------------------|--------------------------|----------|
// | own      | the block, if there is one, is the stream's            | prepare()                | offered  |
// | offered  | as `own`, and prepare() gave out the receive buffer    | commit(), prepare()      | own      |
// |          |                                                        | commit_shared()          | borrowed |
// | borrowed | the block is the thread's receive buffer               | keep(), prepare()        | own      |
class ReadBuffer {
 public:
  // Unread bytes.
  std::string_view view() const noexcept { return {block_.data() + begin_, end_ - begin_}; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  // Takes the first `count` bytes, or all if there are fewer. The view is valid until the next call of
  // prepare(), settle() or keep().
  std::string_view consume(std::size_t count) noexcept {
    const std::string_view taken = view().substr(0, count);
    begin_ += taken.size();
    return taken;
  }
  // The count of bytes that unread() can give back.
  std::size_t taken() const noexcept { return begin_; }
  // Gives back the last `count` bytes that the last consume() took.
  void unread(std::size_t count) noexcept { begin_ -= count; }

  // Memory to receive in, about `wanted` bytes and at least one byte. commit() adds the received bytes to
  // the unread bytes.
  std::span<char> prepare(std::size_t wanted);
  void commit(std::size_t received);
  // As commit(), but leaves the bytes in the thread's receive buffer if prepare() gave that out. keep()
  // must follow before the dispatch ends.
  void commit_shared(std::size_t received);
  // Puts bytes back that consume() took, before the unread bytes.
  void prepend(std::string_view bytes);
  // Gives a borrowed receive buffer back, and keeps the unread bytes.
  void keep() noexcept {
    if (place_ == Place::borrowed) give_back();
  }

  // For a stream that is about to wait, for an unknown time: frees memory that the unread bytes do not need.
  void settle() noexcept {
    keep();
    if (block_) shrink();
  }

 private:
  enum class Place : std::uint8_t { own, offered, borrowed };

  // Up to this many bytes are copied out of the receive buffer: that takes some 40 ns, and saves a page of
  // memory or more.
  static constexpr std::size_t kSmall = 4096;
  // With this much room behind the unread bytes, further bytes are received there.
  static constexpr std::size_t kRoom = 16 * 1024;

  std::size_t room() const noexcept { return block_.capacity() - end_; }
  // The unread bytes are worth a copy into a smaller block.
  bool is_oversized() const noexcept { return block_.capacity() > kSmall && size() <= block_.capacity() / 4; }
  void give_back() noexcept;
  void shrink() noexcept;
  void move_to(std::size_t capacity);

  Block block_;
  std::size_t begin_ = 0;  // the range of the unread bytes in the block
  std::size_t end_ = 0;
  Place place_ = Place::own;
};

}  // namespace squall
