#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/write_buffer.h>
#include <squall/web/static/file_identity.h>
#include <squall/web/static/open_beneath.h>
#include <squall/web/static/precompressed.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace squall::web {

// One state of a static file. Does not change: a changed file gets another FileVersion.
struct FileVersion {
  FileIdentity identity;
  std::string hash;           // for `?v=`; empty if the file changed while it was read
  std::string etag;           // `"hash"`; empty without a hash
  std::string last_modified;  // as a header has it
  SharedBytes content;        // null for a file that is sent from its descriptor
};

// The versions of static files (WEB-141, WEB-142), and the contents of small files.
//
// A version is kept for each path, and used for as long as the file's identity stays the same; so a changed
// file is noticed by the next request. A file that changed in the last two seconds is read again for each
// request, because its times might not show the next change.
//
//   size of the file   | hash                         | content
//   up to 64 KiB       | at once                      | kept, while all contents are within 16 MiB
//   up to 256 KiB      | at once                      | from the descriptor
//   up to 64 MiB       | in the loop's executor       | from the descriptor
//   beyond             | of time and size: see below  | from the descriptor
//
// To hash a very large file would delay its first response by seconds, so its "hash" is the time of its last
// modification, in nanoseconds, and its size.
//
// Thread:    one; of_this_thread() gives each thread its own.
class FileVersions {
 public:
  struct Limits {
    std::uint64_t content = 64 * 1024;          // the largest file whose content is kept
    std::uint64_t hashed_at_once = 256 * 1024;  // the largest file that is hashed on the loop's thread
    std::uint64_t hashed = 64 * 1024 * 1024;    // the largest file that is hashed
    std::size_t files = 4096;                   // the most versions
    std::size_t contents = 16 * 1024 * 1024;    // bytes of all contents
    std::chrono::nanoseconds settled = std::chrono::seconds(2);  // the age at which times are trusted
    std::chrono::nanoseconds siblings_checked = std::chrono::seconds(1);  // how long siblings are remembered
  };
  enum class With : std::uint8_t { file_only, siblings };

  struct Found {
    OpenedFile::Outcome outcome = OpenedFile::Outcome::not_found;
    std::shared_ptr<const FileVersion> version;  // of a file; null if hash() must be called
    OwnedFd fd;                                  // of a file whose version has no content: see is_open()
    FileIdentity identity;                       // of a file
    Siblings siblings;                           // of a file, if asked for

    // Whether the file itself can be sent.
    bool is_open() const noexcept { return fd || (version && version->content); }
  };

  FileVersions() : FileVersions(Limits()) {}
  explicit FileVersions(const Limits& limits) : limits_(limits) {}
  FileVersions(const FileVersions&) = delete;
  FileVersions& operator=(const FileVersions&) = delete;

  static FileVersions& of_this_thread();
  // For the files that are read from now on.
  void set_limits(const Limits& limits) noexcept { limits_ = limits; }

  // The file at `path`, which safe_path() returned, beneath `root`. One system call, stat(), for a small file
  // that is known. With::siblings does not open a known file that has siblings, because a sibling is sent in
  // its place; to send the file itself, call find() again without. Throws as open_beneath().
  Found find(const std::string& root, const std::string& path, With with = With::file_only);

  // The version of a file that find() returned without one. Requests for the same file share one
  // computation. Throws as run_in_executor().
  Task<std::shared_ptr<const FileVersion>> hash(std::string root, std::string path, int fd,
                                                FileIdentity identity);
  // The hash of a file, computed now if it is not known; empty if the file cannot be read. Throws as find().
  std::string hash_now(const std::string& root, const std::string& path);

  std::size_t size() const noexcept { return entries_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    std::string key;
    FileIdentity identity;                       // of a file that was opened beneath the root
    std::shared_ptr<const FileVersion> version;  // null until the file is hashed
    bool is_settled = false;
    Siblings siblings{};
    std::chrono::steady_clock::time_point siblings_found{};
  };
  using Entries = std::list<Entry>;  // the one used last in front
  struct Hashing;

  Entry* look_up(std::string_view key);
  Entry* find_kept(Found& found, With with);
  Entry* open(const std::string& root, const std::string& path, Found& found);
  Siblings siblings_of(Entry* entry, const FileIdentity& identity);
  std::shared_ptr<const FileVersion> load(int fd, const FileIdentity& identity) const;
  Entry* store(const std::string& key, const FileIdentity& identity,
               std::shared_ptr<const FileVersion> version, std::chrono::system_clock::time_point read_at);
  void forget(Entries::iterator entry) noexcept;

  Limits limits_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::unordered_map<std::string, std::shared_ptr<Hashing>> hashing_;  // by key
  std::size_t bytes_ = 0;                                              // of all contents
  // Of the file that find() looks for: with the root, and root and path with a NUL between.
  std::string path_;
  std::string key_;
};

}  // namespace squall::web
