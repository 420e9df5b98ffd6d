#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <cstdint>

namespace squall {

// Copies the bytes that `from` receives to `to`, until `from` ends, and returns their count. Closes neither
// stream: to pass on the end too, call `to.shutdown_write()` afterwards. A slow peer of `to` slows down the
// peer of `from` (back-pressure): at most one buffer of bytes is under way.
//
// Between two plain sockets on Linux bulk data is moved within the kernel (splice), and does not pass through
// this process; small pieces are copied, as that is cheaper. With TLS, and in pipes, all bytes are copied.
//
// Lifetime:  borrows both streams until the task ends or is destroyed. No other code may read from `from` or
//            write to `to` meanwhile. Destroying the task loses nothing: bytes that it has received are
//            queued at `to`.
// Errors:    StreamClosedError if either stream closes, or its connection breaks. The task notices that `to`
//            has closed only when it has bytes to write; `to`'s close callback notices it at once.
Task<std::uint64_t> pump(IOStream& from, IOStream& to);

}  // namespace squall
