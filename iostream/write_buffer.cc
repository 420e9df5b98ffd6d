#include <squall/iostream/write_buffer.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kFirst = 1024;  // several small responses

}  // namespace

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
