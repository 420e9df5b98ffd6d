#include <squall/websocket/codec/mask_blocks.h>

namespace squall::websocket::detail {

std::size_t mask_blocks(char* to, const char* from, std::size_t size, std::uint64_t key) noexcept {
  return mask_blocks_plain(to, from, size, key);
}

}  // namespace squall::websocket::detail
