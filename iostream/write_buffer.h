#pragma once

#include <squall/ioloop/frame_pool.h>
#include <squall/iostream/buffer_pool.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace squall {

// The bytes a stream has yet to send. Exists only while there are some.
class WriteBuffer : public Pooled {
 public:
  // Each thread keeps one with the memory it last had: a stream that sends what it wrote within one turn, as
  // most do, makes no other.
  static std::unique_ptr<WriteBuffer> take();
  static void give_back(std::unique_ptr<WriteBuffer> buffer) noexcept;

  std::string_view view() const noexcept { return {block_.data() + begin_, end_ - begin_}; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  // Room for `count` bytes behind those that are there; commit() adds what was written to it.
  char* reserve(std::size_t count) {
    if (block_.capacity() - end_ < count) make_room(count);
    return block_.data() + end_;
  }
  void commit(std::size_t count) noexcept { end_ += count; }
  void append(std::string_view data) { commit(data.copy(reserve(data.size()), data.size())); }
  // The first `count` bytes are sent.
  void consume(std::size_t count) noexcept { begin_ += count; }

 private:
  void make_room(std::size_t count);

  Block block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace squall
