#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace squall::websocket {

// Appends a piece to a message whose size has a limit. The capacity doubles when it has to grow, as with
// std::string::append(), but not beyond `max_size` unless the result is larger. So a message up to the limit
// takes at most max_size bytes, and less than twice that while it moves to larger memory.
//
// Makes room for `coming` more bytes than the piece has.
//
// Thread:    one.
// Errors:    std::bad_alloc, and `message` is as before.
void append_bounded(std::string& message, std::string_view piece, std::size_t max_size,
                    std::size_t coming = 0);

}  // namespace squall::websocket
