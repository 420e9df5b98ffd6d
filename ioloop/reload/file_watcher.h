#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/reload/folder_notice.h>

#include <sys/stat.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace squall {

// Waits for changes of files: another content, a file that replaced it, and in folders also new and removed
// files.
//
//     FileWatcher watcher;
//     watcher.add("templates");
//     const std::vector<std::string> changed = co_await watcher.next();
//
// A change is the difference between the state of a file now and in the last result: its inode, its size and
// its time of modification. The contents are not read. A file that is missing is no change: an editor or a
// linker replaces it (ARL-03). Files and folders whose names begin with `.` or `#` or end with `~` are left
// out of folders, and so are folders of a build: those with a build.ninja, a CMakeCache.txt or a
// CACHEDIR.TAG.
//
// The system's notices (FolderNotice) make a change known at once. Some file systems, such as network file
// systems, give none, so the watcher also looks every kNoticed intervals; without notices, every interval.
// Each look calls stat() for each file, in the loop's thread: this is for development.
//
// Thread:    the loop's thread only.
// Lifetime:  outlives the tasks of next().
class FileWatcher {
 public:
  enum class How : std::uint8_t { notices, polling };
  struct Options {
    // Positive.
    TimeSpan interval = std::chrono::milliseconds(500);
    // A change is complete when the files stay the same for this time. Positive.
    TimeSpan quiet = std::chrono::milliseconds(100);
    // `polling` uses no notices.
    How how = How::notices;
  };
  static constexpr int kNoticed = 10;
  static constexpr int kMostLooks = 20;
  // The most files of all folders. Beyond them a warning is logged, and the others are not watched.
  static constexpr std::size_t kMostFiles = 50'000;

  // Paths, each list sorted. `added` are the files in folders that are new.
  struct Changes {
    std::vector<std::string> changed;
    std::vector<std::string> added;
  };

  // Throws std::invalid_argument for an interval that is not positive.
  FileWatcher() : FileWatcher(Options()) {}
  explicit FileWatcher(Options options);

  // Watches a file or all files in a folder, from their present state on. A path that does not exist yet is
  // watched from its first sight on. A relative path is relative to the present working directory.
  void add(const std::string& path);
  // Waits for a change, and for the end of the changes that follow it, for at most kMostLooks times `quiet`.
  // The paths of the changed files, sorted. A file that is still being written is left for a later result. A
  // change that a destroyed task has seen is in the result of the next one.
  Task<std::vector<std::string>> next();
  // The changes since the last result, at once; they are in no later result. Not while a task waits in
  // next().
  Changes take();

 private:
  struct State {
    State(const std::string& path, const struct stat& file);
    bool operator==(const State&) const = default;

    dev_t device;
    ino_t inode;
    off_t size;
    std::filesystem::file_time_type modified;
  };
  using States = std::map<std::string, State>;

  States look();
  void look_at(const std::string& path, States& states);
  void look_into(const std::string& folder, States& states);
  Task<> wait_for_hint();
  // The paths whose state differs from the one in `known_`.
  std::vector<std::string> changes_in(const States& now) const;
  // Gives the files that differ between two looks the states in `known_`.
  void leave_out_unstable(const States& before, States& now) const;
  void remember(States now);

  Options options_;
  FolderNotice notice_;
  std::set<std::string> watched_;
  States known_;
  bool has_hint_ = false;    // next() has begun to look, and has not ended
  bool is_complete_ = true;  // the warning about kMostFiles was not logged
};

}  // namespace squall
