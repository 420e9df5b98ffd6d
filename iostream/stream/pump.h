#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <cstdint>

namespace squall {

// Copies what `from` receives to `to`, until `from` ends, and returns the count of bytes. Closes neither: who
// passes on the end as well calls `to.shutdown_write()` then. A peer of `to` that is slow slows down that of
// `from`: no more than one buffer is under way.
//
// Of two plain sockets on Linux what comes in bulk is moved within the kernel (splice), and does not pass
// through this process; what comes in small pieces is copied, as that is cheaper. Behind TLS, and in pipes,
// all is copied.
//
// Lifetime:  borrows both streams until the task ends or is destroyed. Nobody else reads from the one or
//            writes to the other meanwhile. Destroying it loses nothing: what it has received is queued at
//            `to`.
// Errors:    StreamClosedError if either stream closes, or its connection breaks. That `to` has gone is seen
//            when there is something to write: who pumps one way only, and may wait long, looks by to's close
//            callback.
Task<std::uint64_t> pump(IOStream& from, IOStream& to);

}  // namespace squall
