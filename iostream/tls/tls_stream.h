#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_context.h>

namespace squall {

// For servers: the handshake of a connection that was just accepted. False if it has failed or took too long:
// the stream is closed, and the log has a line unless the peer only went away, as port scanners do (IOS-74,
// TSV-08). Borrows the stream until the task ends.
Task<bool> accept_tls(IOStream& stream, TLSContext context);

}  // namespace squall
