#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

#include <string>
#include <string_view>

namespace squall {

// How to bind a Unix socket.
struct UnixListenOptions {
  // The mode of the socket's file: a client needs write permission to connect. The file never has a wider
  // mode.
  mode_t mode = 0600;
  int backlog = 4096;
};

// Binds a listening, non-blocking Unix socket to a path, or to an abstract name if `name` begins with NUL or
// `@` (NET-11; see UnixAddress).
//
// Replaces an existing socket file, even if a server listens on it, as Tornado does (NET-10): without
// connecting, a dead server cannot be distinguished from a running server that this process replaces.
// Connections to the old server continue. For a few system calls, between removal and listen(), a
// connection attempt fails. Any other file is not replaced. An abstract name in use is an error.
//
// Errors:    as the constructor of UnixAddress; std::system_error that names the path: EEXIST for a file
//            that is not a socket.
OwnedFd bind_unix_socket(std::string_view name, const UnixListenOptions& options = {});

// Removes the file of a Unix socket on destruction, unless the file of a newer server has replaced it. A
// relative path is relative to the working directory at that time.
class UnixSocketFile {
 public:
  UnixSocketFile() noexcept = default;
  // The file that `socket` is bound to; no file if it is bound to no path, or the file does not exist.
  explicit UnixSocketFile(int socket);
  UnixSocketFile(UnixSocketFile&& other) noexcept;
  UnixSocketFile& operator=(UnixSocketFile&&) = delete;
  ~UnixSocketFile();

  // Keeps the file.
  void release() noexcept { path_.clear(); }

 private:
  std::string path_;  // empty: no file
  dev_t device_ = 0;  // device and inode identify the file
  ino_t inode_ = 0;
};

}  // namespace squall
