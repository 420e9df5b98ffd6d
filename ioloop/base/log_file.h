#pragma once

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/owned_fd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Log files that rotate, and what a program's options say of its log.
//
//     log::Options options;
//     options.file.prefix = "/var/log/shop/web.log";
//     log::enable_pretty_logging(options);

namespace squall::log {

// `size` starts a new file when the present one is full, `time` when its time is over.
enum class RotateMode : std::uint8_t { size, time };

// From `size` or `time`. Throws std::invalid_argument for anything else (LOG-07).
RotateMode parse_rotate_mode(std::string_view text);
// From `debug`, `info`, `warning`, `error` or `none`, in upper or lower case (LOG-10). Throws
// std::invalid_argument for anything else.
Level parse_level(std::string_view text);

// LOG-12 to LOG-17.
struct FileOptions {
  std::string prefix;                  // the file's path; each process needs one of its own. Empty: no file
  std::size_t max_size = 100'000'000;  // bytes, of mode `size`. 0 never rotates
  int num_backups = 10;                // older files kept. 0 never rotates by size, and keeps all by time
  RotateMode rotate_mode = RotateMode::size;
  std::string when = "midnight";  // of mode `time`: see next_rollover()
  int interval = 1;               // of mode `time`: how many of them
};

// When a file whose first line, or last one before a restart, was written at `now` is over:
//
//     S M H D     that many seconds, minutes, hours or days of 24 hours later
//     midnight    at the end of the day in local time, or of the interval-th one
//     W0 to W6    at the end of Monday to Sunday in local time; today counts
//
// Upper or lower case. Throws std::invalid_argument for any other `when`, and unless `interval` is between 1
// and 100'000'000.
std::chrono::sys_seconds next_rollover(std::chrono::sys_seconds now, std::string_view when, int interval);

// A file of log lines, which continues the one that is there. In mode `size`, a line that would make it
// longer than `max_size` starts a new one, and what was `web.log` is `web.log.1`, what was that is
// `web.log.2`, and so on. In mode `time` what was `web.log` gets the local time of its beginning:
// `web.log.2026-11-21`, with
// `_08-30-00` behind it as far as the unit asks for. Only regular files rotate.
//
// Thread:    one at a time; handlers are called so.
// Errors:    the first time that a file cannot be written, renamed or opened it says so on stderr. Lines that
//            cannot be written are lost. If there can be no new file they go on into the old one, and it
//            tries again a file later.
class RotatingFile {
 public:
  // Throws std::system_error if the file cannot be opened, std::invalid_argument as next_rollover() does.
  explicit RotatingFile(FileOptions options);
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // The record's line, without colour. Its time is what the file's age is judged by. Throws std::bad_alloc
  // only.
  void write(const Record& record);

 private:
  bool is_over(const Record& record, std::size_t length) const;
  void rotate();
  // These return 0 or an errno.
  int shift_backups();
  int rename_by_time();
  int open();

  void remove_oldest();
  void complain(std::string_view what, int error);

  const FileOptions options_;
  OwnedFd file_;
  std::size_t size_ = 0;
  bool is_regular_ = false;
  bool has_complained_ = false;
  std::optional<std::chrono::sys_seconds> rollover_;  // of mode `time`, as soon as there is a line
};

struct Options {
  std::optional<Level> level = Level::info;  // none leaves logging as it is, as Level::none does
  std::optional<bool> to_stderr;             // unless set: if there is neither a file nor a handler
  FileOptions file;
};

// enable_pretty_logging(level), with lines to a file, stderr, both or neither (LOG-06). A handler of the
// program's goes on being called; what an earlier call of this function set up is replaced. Throws as
// RotatingFile's constructor does, before anything has changed.
void enable_pretty_logging(const Options& options);

}  // namespace squall::log
