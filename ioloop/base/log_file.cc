#include <squall/ioloop/base/log_file.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/write_whole.h>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>  // rename
#include <ctime>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace squall::log {
namespace {

using std::chrono::sys_seconds;

// The meaning of `when`. Days of the calendar differ in length, so they are not a number of seconds.
struct Period {
  std::chrono::seconds unit{};
  int days = 0;             // in calendar days, instead of `unit`
  int weekday = -1;         // 0 is Monday; -1 is any
  std::size_t digits = 10;  // length of the suffix of a name, a prefix of `0000-00-00_00-00-00`
};

Period parse_when(std::string_view when, int interval) {
  using namespace std::chrono_literals;
  if (interval < 1 || interval > 100'000'000) {
    throw std::invalid_argument(fmt::format("a log file's interval cannot be {}", interval));
  }
  if (equals_ignoring_case(when, "s")) return {.unit = 1s, .digits = 19};
  if (equals_ignoring_case(when, "m")) return {.unit = 1min, .digits = 16};
  if (equals_ignoring_case(when, "h")) return {.unit = 1h, .digits = 13};
  if (equals_ignoring_case(when, "d")) return {.unit = 24h};
  if (equals_ignoring_case(when, "midnight")) return {.days = 1};
  if (when.size() == 2 && to_lower(when[0]) == 'w' && when[1] >= '0' && when[1] <= '6') {
    return {.days = 7, .weekday = when[1] - '0'};
  }
  throw std::invalid_argument(
      fmt::format(R"(a log file rotates at "S", "M", "H", "D", "W0" to "W6" or "midnight", not "{}")", when));
}

std::tm local_time(sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local;
}

// The midnight at which the day begins that is `days` after the day of `time`.
sys_seconds midnight_after(sys_seconds time, int days) {
  std::tm local = local_time(time);
  local.tm_mday += days;
  local.tm_hour = local.tm_min = local.tm_sec = 0;
  local.tm_isdst = -1;
  const sys_seconds found{std::chrono::seconds(std::mktime(&local))};
  // If summer time begins at midnight, that night has no midnight, and the day begins at one o'clock.
  // POSIX does not specify which side of the gap mktime() returns.
  return local.tm_hour == 23 ? found + std::chrono::hours(1) : found;
}

// The beginning of the period that ends at `rollover`, as text for a name.
std::string suffix_of(sys_seconds rollover, const Period& period, int interval) {
  const sys_seconds start =
      period.days > 0 ? midnight_after(rollover, -period.days * interval) : rollover - period.unit * interval;
  return fmt::format("{:%Y-%m-%d_%H-%M-%S}", local_time(start)).substr(0, period.digits);
}

// Whether `text` is a suffix of suffix_of(), optionally with the number of a second file of the same time.
bool is_suffix(std::string_view text, std::size_t digits) {
  constexpr std::string_view kShape = "0000-00-00_00-00-00";
  if (text.size() < digits) return false;
  for (std::size_t i = 0; i < digits; ++i) {
    if (kShape[i] == '0' ? !is_digit(text[i]) : text[i] != kShape[i]) return false;
  }
  text.remove_prefix(digits);
  return text.empty() || (text.size() > 1 && text[0] == '.' && std::ranges::all_of(text.substr(1), is_digit));
}

// Looks for a file: 0 if it exists, ENOENT if it does not, and another errno if that is not known.
int look_up(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) return 0;
  return errno == ENOTDIR ? ENOENT : errno;
}

}  // namespace

RotateMode parse_rotate_mode(std::string_view text) {
  if (text == "size") return RotateMode::size;
  if (text == "time") return RotateMode::time;
  throw std::invalid_argument(
      fmt::format(R"(The value of log_rotate_mode option should be "size" or "time", not "{}".)", text));
}

Level parse_level(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Level>, 5> kLevels{{{"debug", Level::debug},
                                                                       {"info", Level::info},
                                                                       {"warning", Level::warning},
                                                                       {"error", Level::error},
                                                                       {"none", Level::none}}};
  for (const auto& [name, level] : kLevels) {
    if (equals_ignoring_case(text, name)) return level;
  }
  throw std::invalid_argument(fmt::format(
      R"(The value of logging option should be "debug", "info", "warning", "error" or "none", not "{}".)",
      text));
}

sys_seconds next_rollover(sys_seconds now, std::string_view when, int interval) {
  const Period period = parse_when(when, interval);
  if (period.days == 0) return now + period.unit * interval;
  int days = period.days * (interval - 1) + 1;
  if (period.weekday >= 0) {
    const int today = (local_time(now).tm_wday + 6) % 7;
    days += (period.weekday - today + 7) % 7;
  }
  return midnight_after(now, days);
}

RotatingFile::RotatingFile(FileOptions options) : options_(std::move(options)) {
  if (options_.max_size == 0) throw std::invalid_argument("max_size must be positive, or std::nullopt");
  if (options_.num_backups && *options_.num_backups <= 0)
    throw std::invalid_argument("num_backups must be positive, or std::nullopt");
  if (options_.rotate_mode == RotateMode::time) parse_when(options_.when, options_.interval);
  if (const int error = open(); error != 0) {
    throw std::system_error(error, std::generic_category(), "cannot open log file " + options_.prefix);
  }
}

// Keeps the present file if a new one cannot be opened.
int RotatingFile::open() {
  const int fd = ::open(options_.prefix.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const int error = fd < 0 ? errno : 0;
  size_ = 0;
  rollover_.reset();
  if (error != 0) return error;
  file_.reset(fd);
  struct stat status;
  is_regular_ = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  if (!is_regular_ || status.st_size == 0) return 0;
  size_ = static_cast<std::size_t>(status.st_size);
  if (options_.rotate_mode == RotateMode::time) {
    const sys_seconds last{std::chrono::seconds(status.st_mtime)};
    rollover_ = next_rollover(last, options_.when, options_.interval);
  }
  return 0;
}

void RotatingFile::write(const Record& record) {
  std::string line = format_record(record, false);
  line += '\n';
  if (is_over(record, line.size())) rotate();
  if (options_.rotate_mode == RotateMode::time && !rollover_) {
    const auto now = std::chrono::floor<std::chrono::seconds>(record.time);
    rollover_ = next_rollover(now, options_.when, options_.interval);
  }
  size_ += line.size();
  // One write, so that lines of several processes in one file do not mix.
  if (const int error = write_whole(file_.get(), line); error != 0) complain("write", error);
}

bool RotatingFile::is_over(const Record& record, std::size_t length) const {
  if (!is_regular_) return false;
  if (options_.rotate_mode == RotateMode::time) {
    return rollover_ && std::chrono::floor<std::chrono::seconds>(record.time) >= *rollover_;
  }
  // A line longer than max_size gets a file of its own.
  return options_.max_size && options_.num_backups && size_ > 0 && size_ + length > *options_.max_size;
}

void RotatingFile::rotate() {
  const bool by_time = options_.rotate_mode == RotateMode::time;
  int error = look_up(options_.prefix);
  if (error == 0) error = by_time ? rename_by_time() : shift_backups();
  // If the file was moved or deleted, only a new one is opened.
  if (error != 0 && error != ENOENT) {
    complain("rename", error);
    size_ = 0;
    rollover_.reset();
    return;
  }
  if (const int not_opened = open(); not_opened != 0) complain("open", not_opened);
  if (by_time && options_.num_backups) remove_oldest();
}

// Renames only the backups before the first gap: if renaming the file itself fails, the next attempt finds
// the gap at the front and deletes no backup.
int RotatingFile::shift_backups() {
  const auto name = [this](int i) {
    return i == 0 ? options_.prefix : fmt::format("{}.{}", options_.prefix, i);
  };
  int last = 1;
  for (; last < *options_.num_backups; ++last) {
    const int error = look_up(name(last));
    if (error == ENOENT) break;
    if (error != 0) return error;
  }
  for (int i = last; i > 0; --i) {
    if (::rename(name(i - 1).c_str(), name(i).c_str()) != 0) return errno;
  }
  return 0;
}

int RotatingFile::rename_by_time() {
  const Period period = parse_when(options_.when, options_.interval);
  const std::string name = options_.prefix + "." + suffix_of(*rollover_, period, options_.interval);
  // If the clock is set back, as at the end of summer time, a name may exist already.
  std::string free = name;
  int error = look_up(free);
  for (int i = 2; error == 0; ++i) {
    free = fmt::format("{}.{}", name, i);
    error = look_up(free);
  }
  if (error != ENOENT) return error;
  return ::rename(options_.prefix.c_str(), free.c_str()) == 0 ? 0 : errno;
}

void RotatingFile::remove_oldest() {
  const std::size_t digits = parse_when(options_.when, options_.interval).digits;
  const std::filesystem::path path(options_.prefix);
  const std::string start = path.filename().string() + ".";
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::vector<std::string> names;
  std::error_code error;
  // The names contain the times, so sorting by name sorts by age.
  for (std::filesystem::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    std::string name = i->path().filename().string();
    if (name.starts_with(start) && is_suffix(std::string_view(name).substr(start.size()), digits)) {
      names.push_back(std::move(name));
    }
  }
  std::ranges::sort(names);
  const auto kept = static_cast<std::size_t>(*options_.num_backups);
  for (std::size_t i = 0; i + kept < names.size(); ++i) std::filesystem::remove(folder / names[i], error);
}

void RotatingFile::complain(std::string_view what, int error) {
  if (has_complained_) return;
  has_complained_ = true;
  write_whole(STDERR_FILENO, fmt::format("Cannot {} log file {}: {}\n", what, options_.prefix,
                                         std::generic_category().message(error)));
}

namespace {

// The handler of enable_pretty_logging(); the next call recognizes it by its type.
struct PrettyHandler {
  void operator()(const Record& record) const {
    if (file) file->write(record);
    if (to_stderr) print(record);
    if (before) before(record);
  }

  Handler before;
  std::shared_ptr<RotatingFile> file;
  bool to_stderr;
};

}  // namespace

void enable_pretty_logging(const Options& options) {
  if (options.level.value_or(Level::none) == Level::none) return;
  const auto file = options.file.prefix.empty() ? nullptr : std::make_shared<RotatingFile>(options.file);
  Handler before = set_handler({});
  enable_pretty_logging(*options.level);
  if (const auto* ours = before.target<PrettyHandler>()) before = Handler(ours->before);
  const bool to_stderr = options.to_stderr.value_or(!file && !before);
  // The built-in handler prints to stderr.
  if (to_stderr && !file && !before) return;
  set_handler(PrettyHandler{std::move(before), file, to_stderr});
}

}  // namespace squall::log
