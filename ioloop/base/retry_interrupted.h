#pragma once

#include <sys/types.h>

#include <cerrno>

namespace squall {

// Makes a system call again for as long as signals interrupt it, and returns its result: a count or
// descriptor, or -1 and errno. EWOULDBLOCK becomes EAGAIN, so that callers compare with one of them.
//
// Thread:    any.
template <class Call>
ssize_t retry_interrupted(Call&& call) noexcept {
  ssize_t result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  if (result < 0 && errno == EWOULDBLOCK) errno = EAGAIN;
  return result;
}

}  // namespace squall
