#pragma once

#include <squall/websocket/codec/mask.h>

namespace squall::websocket {

// A key for the next frame of a client: random bytes of the system that the peer cannot foresee (RFC 6455,
// 5.3; WSK-35). Takes 64 keys from the system at once. A forked process gets other keys than its parent.
//
// Thread:    any; each has its own keys.
// Errors:    std::system_error if the system has no random bytes.
MaskKey next_mask_key();

}  // namespace squall::websocket
