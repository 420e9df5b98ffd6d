#include <squall/websocket/codec/frame.h>

#include <algorithm>

namespace squall::websocket {
void append_frame(std::string& to, FrameHead head, std::string_view payload) {
  head.size = payload.size();
  const EncodedHead encoded(head);
  const std::size_t begin = to.size() + encoded.bytes().size();
  const std::size_t size = begin + payload.size();
  if (size > to.capacity()) to.reserve(std::max(size, to.capacity() * 2));
  to.append(encoded.bytes()).append(payload);
  if (head.key) mask({to.data() + begin, payload.size()}, *head.key);
}

}  // namespace squall::websocket
