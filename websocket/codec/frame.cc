#include <squall/websocket/codec/frame.h>

#include <algorithm>
#include <limits>

namespace squall::websocket {
namespace {

// The big-endian bytes of a size.
template <class Size>
char* put_size(char* to, Size size) noexcept {
  for (int shift = std::numeric_limits<Size>::digits - 8; shift >= 0; shift -= 8)
    *to++ = static_cast<char>(size >> shift & 0xff);
  return to;
}

}  // namespace

EncodedHead::EncodedHead(const FrameHead& head) noexcept {
  const int masked = head.key ? 0x80 : 0;
  char* at = bytes_.data();
  *at++ =
      static_cast<char>((head.fin ? 0x80 : 0) | (head.compressed ? 0x40 : 0) | static_cast<int>(head.opcode));
  if (head.size < 126) {
    *at++ = static_cast<char>(masked | static_cast<int>(head.size));
  } else if (head.size <= 0xffff) {
    *at++ = static_cast<char>(masked | 126);
    at = put_size(at, static_cast<std::uint16_t>(head.size));
  } else {
    *at++ = static_cast<char>(masked | 127);
    at = put_size(at, head.size);
  }
  if (head.key) at = std::copy(head.key->begin(), head.key->end(), at);
  size_ = static_cast<std::uint8_t>(at - bytes_.data());
}

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
