#pragma once

#include <squall/ioloop/loop/task.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web {

class PartialFile;

// Saves a body as a new file, piece by piece, on threads of the loop's executor: a slow disk does not hold
// the loop. Unless keep() has ended, the file is deleted with this object.
//
// Thread:    the loop's thread only. One call at a time.
// Errors:    std::system_error with the path.
class FileSaver {
 public:
  FileSaver();
  ~FileSaver();
  FileSaver(const FileSaver&) = delete;
  FileSaver& operator=(const FileSaver&) = delete;

  // Once, before the other functions. Throws also if the file exists.
  Task<> open(std::string path);
  Task<> append(std::string_view piece);
  // The file is complete. Returns its size in bytes.
  Task<std::uint64_t> keep();

 private:
  Task<> write_block();

  std::shared_ptr<PartialFile> file_;  // shared with a job of the executor, which may outlive this object
  std::string block_;                  // bytes that are not yet written
  std::uint64_t size_ = 0;
};

}  // namespace squall::web
