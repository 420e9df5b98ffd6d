#pragma once

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/owned_fd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Log files that rotate, and the options of a program's log.
//
//     log::Options options;
//     options.file.prefix = "/var/log/shop/web.log";
//     log::enable_pretty_logging(options);

namespace squall::log {

// `size` starts a new file when the present one is full, `time` when its period is over.
enum class RotateMode : std::uint8_t { size, time };

// Parses `size` or `time`. Throws std::invalid_argument for anything else (LOG-07).
RotateMode parse_rotate_mode(std::string_view text);
// Parses `debug`, `info`, `warning`, `error` or `none`, in upper or lower case (LOG-10). Throws
// std::invalid_argument for anything else.
Level parse_level(std::string_view text);

// Options of RotatingFile (LOG-12 to LOG-17).
struct FileOptions {
  std::string prefix{};  // the file's path; each process needs its own. Empty: no file
  std::optional<std::size_t> max_size = 100'000'000;  // bytes, in mode `size`; nullopt never rotates
  std::optional<int> num_backups =
      10;  // older files kept; nullopt never rotates by size, and keeps all by time
  RotateMode rotate_mode = RotateMode::size;
  std::string when = "midnight";  // in mode `time`: see next_rollover()
  int interval = 1;               // in mode `time`: the number of periods
};

// The end of the period of a file whose first line, or last line before a restart, was written at `now`:
//
//     S M H D     that many seconds, minutes, hours or days of 24 hours later
//     midnight    at the end of the day in local time; with an interval, of a later day
//     W0 to W6    at the end of Monday to Sunday in local time; today counts
//
// Upper or lower case. Throws std::invalid_argument for any other `when`, and unless `interval` is between 1
// and 100'000'000.
std::chrono::sys_seconds next_rollover(std::chrono::sys_seconds now, std::string_view when, int interval);

// A file of log lines; an existing file is appended to. In mode `size`, a line that would make the file
// longer than `max_size` starts a new one: `web.log` is renamed to `web.log.1`, `web.log.1` to `web.log.2`,
// and so on. In mode `time`, `web.log` is renamed with the local time of its beginning: `web.log.2026-11-21`,
// followed by `_08-30-00` for shorter periods. Only regular files rotate.
//
// Thread:    one at a time, as handlers are called.
// Errors:    the first time that a file cannot be written, renamed or opened, stderr gets a message. Lines
//            that cannot be written are lost. If a new file cannot be made, lines are appended to the old
//            one, and the next attempt follows when it would rotate again.
class RotatingFile {
 public:
  // Throws std::system_error if the file cannot be opened, std::invalid_argument as next_rollover() does, and
  // for a max_size or num_backups that is not positive.
  explicit RotatingFile(FileOptions options);
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // Writes the line of the record, without colour. The time of the record determines the rotation. Throws
  // std::bad_alloc only.
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
  std::optional<std::chrono::sys_seconds> rollover_;  // in mode `time`; nullopt before the first line
};

struct Options {
  std::optional<Level> level = Level::info;  // nullopt and Level::none change nothing
  std::optional<bool> to_stderr{};           // nullopt: true if neither a file nor a handler is set
  FileOptions file{};
};

// enable_pretty_logging(level), with lines to a file, stderr, both or neither (LOG-06). The program's own
// handler is still called; the settings of an earlier call of this function are replaced. Throws as
// RotatingFile's constructor and set_handler() do, before anything has changed.
void enable_pretty_logging(const Options& options);

}  // namespace squall::log
