#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_context.h>

namespace squall {

// A server's handshake on an accepted connection. False if the handshake failed or timed out: the stream is
// closed, and the log has a line unless the peer only closed the connection, as port scanners do (IOS-74,
// TSV-08).
//
// Lifetime:  borrows the stream until the task ends.
Task<bool> accept_tls(IOStream& stream, TLSContext context);

}  // namespace squall
