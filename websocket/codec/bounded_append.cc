#include <squall/websocket/codec/bounded_append.h>

#include <algorithm>

namespace squall::websocket {

void append_bounded(std::string& message, std::string_view piece, std::size_t max_size, std::size_t coming) {
  const std::size_t needed = message.size() + piece.size() + coming;
  if (needed > message.capacity()) {
    // reserve() of the message itself would take twice its capacity, also beyond the limit.
    std::string larger;
    larger.reserve(std::max(needed, std::min(2 * message.capacity(), max_size)));
    larger.append(message);
    message.swap(larger);
  }
  message.append(piece);
}

}  // namespace squall::websocket
