#pragma once

namespace squall {

// Makes writes to this descriptor raise no SIGPIPE, on systems that send SIGPIPE to the process and not to
// the thread that writes, so that without_sigpipe() cannot hold it back: Darwin. Elsewhere does nothing.
// Ignores errors.
//
// Thread:    any.
// Source:    fcntl(2) of macOS, F_SETNOSIGPIPE; the same as SO_NOSIGPIPE for sockets.
void raise_no_sigpipe(int fd) noexcept;

}  // namespace squall
