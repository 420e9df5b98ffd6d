#include <squall/iostream/write_buffer.h>

#include <squall/ioloop/sanitizer.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kFirst = 4096;  // several small responses

thread_local std::unique_ptr<WriteBuffer> t_spare;

}  // namespace

std::unique_ptr<WriteBuffer> WriteBuffer::take() {
  return t_spare ? std::move(t_spare) : std::make_unique<WriteBuffer>();
}

void WriteBuffer::give_back(std::unique_ptr<WriteBuffer> buffer) noexcept {
  if (t_spare || kAddressSanitizer || buffer->block_.capacity() > Block::kLargest) return;
  buffer->begin_ = buffer->end_ = 0;
  t_spare = std::move(buffer);
}

void WriteBuffer::make_room(std::size_t count) {
  const std::size_t pending = size();
  if (block_.capacity() - pending >= count && pending <= begin_) {
    std::memmove(block_.data(), block_.data() + begin_, pending);
  } else {
    // Doubled, so that a buffer that fills in many pieces copies each byte a bounded number of times.
    Block larger(std::max({kFirst, pending + count, pending * 2}));
    if (pending > 0) std::memcpy(larger.data(), block_.data() + begin_, pending);
    block_ = std::move(larger);
  }
  begin_ = 0;
  end_ = pending;
}

}  // namespace squall
