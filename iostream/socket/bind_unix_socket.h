#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

#include <string>
#include <string_view>

namespace squall {

struct UnixListenOptions {
  // Of the socket's file: who may write to it may connect. Never wider than this, not for a moment either.
  mode_t mode = 0600;
  int backlog = 4096;
};

// A listening, non-blocking Unix socket at a path, or in the abstract namespace if the name begins with NUL
// or
// `@` (NET-11; see UnixAddress).
//
// A socket's file that is there already is replaced, even if somebody listens on it, as in Tornado (NET-10):
// whether that is a server that died, or one that we take over from, cannot be told without connecting to it.
// Who connected to it goes on talking to it. Between the removal and the listening, a few system calls, there
// is nobody to connect to. Any other file is left alone. An abstract name that is taken is an error.
//
// Errors:    as UnixAddress; std::system_error that names the path: EEXIST for a file that is no socket.
OwnedFd bind_unix_socket(std::string_view name, const UnixListenOptions& options = {});

// The file of a Unix socket that is removed along with this object, unless something else is there by then:
// a server that has taken over. A relative path is looked up from where the process is by then.
class UnixSocketFile {
 public:
  UnixSocketFile() noexcept = default;
  // The one that `socket` is bound to; none if it is bound to no path, or if that is not there.
  explicit UnixSocketFile(int socket);
  UnixSocketFile(UnixSocketFile&& other) noexcept;
  UnixSocketFile& operator=(UnixSocketFile&&) = delete;
  ~UnixSocketFile();

  // Leaves the file where it is.
  void release() noexcept { path_.clear(); }

 private:
  std::string path_;  // empty for none
  dev_t device_ = 0;  // these two know the file again
  ino_t inode_ = 0;
};

}  // namespace squall
