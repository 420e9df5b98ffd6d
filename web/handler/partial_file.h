#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <string>
#include <string_view>

namespace squall::web {

// A new file that is being written. Unless keep() is called, the destructor deletes it. All other functions
// may block.
//
// Thread:    any, one at a time.
// Errors:    std::system_error with the path.
class PartialFile {
 public:
  // Throws also if the file exists: it may be another upload, or a link that an attacker has made.
  explicit PartialFile(std::string path);
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  void append(std::string_view bytes);
  // Throws if the system could not store all bytes.
  void close();
  // Once close() has returned: the file is to stay.
  void keep() noexcept { path_.clear(); }

 private:
  std::string path_;  // empty once keep() was called
  OwnedFd fd_;
};

}  // namespace squall::web
