#include <squall/ioloop/base/log_file.h>

#include <squall/testing/log_capture.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/catch.h"
#include "support/environment_variable.h"

namespace squall::log_file_test {
namespace {

using namespace std::chrono_literals;
using log::next_rollover;
using log::RotateMode;
using std::chrono::sys_seconds;
using testing::LogCapture;
using testing::TimeZone;

class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "squall_log_XXXXXX").string()) {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(std::string_view name = "web.log") const { return path_ + "/" + std::string(name); }
  const std::string& folder() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }
  std::string text(std::string_view name = "web.log") const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The messages of the lines, without the prefix.
  std::vector<std::string> messages(std::string_view name = "web.log") const {
    std::ifstream file(path(name));
    std::vector<std::string> found;
    for (std::string line; std::getline(file, line);) found.push_back(line.substr(line.find("] ") + 2));
    return found;
  }

 private:
  std::string path_;
};

using Names = std::vector<std::string>;

// Collects the output to stderr during its lifetime; it is not printed.
class StderrTo {
 public:
  explicit StderrTo(const std::string& path) : saved_(::dup(STDERR_FILENO)) {
    const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    REQUIRE(::dup2(file.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  ~StderrTo() { ::dup2(saved_.get(), STDERR_FILENO); }

 private:
  OwnedFd saved_;
};

// 2023-11-14 is a Tuesday.
sys_seconds utc(int day, int hour = 0, int minute = 0, int second = 0) {
  return std::chrono::sys_days(std::chrono::year(2023) / 11 / day) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

log::Record record_of(std::string_view message, sys_seconds time) {
  return {log::access(), log::Level::info, std::source_location::current(), time, message};
}

void write(log::RotatingFile& file, std::string_view message, sys_seconds time = utc(14, 22, 13, 20)) {
  file.write(record_of(message, time));
}

// The length of a line whose message is one letter.
std::size_t line_length() { return log::format_record(record_of("x", utc(14)), false).size() + 1; }

log::FileOptions by_size(const Folder& folder, std::optional<std::size_t> max_size,
                         std::optional<int> num_backups) {
  log::FileOptions options;
  options.prefix = folder.path();
  options.max_size = max_size;
  options.num_backups = num_backups;
  return options;
}

log::FileOptions by_time(const Folder& folder, std::string when, std::optional<int> num_backups = 10,
                         int interval = 1) {
  log::FileOptions options;
  options.prefix = folder.path();
  options.rotate_mode = RotateMode::time;
  options.when = std::move(when);
  options.num_backups = num_backups;
  options.interval = interval;
  return options;
}

TEST_CASE("a line is written to the file as it is printed, without colour (LOG-06)", "[log]") {
  const Folder folder;
  const TimeZone zone("UTC");
  log::RotatingFile file(by_size(folder, 1000, 3));
  write(file, "caf\xC3\xA9\nforged");
  const std::string text = folder.text();
  CHECK(text.starts_with("[I 231114 22:13:20 log_file_test:"));
  CHECK(text.ends_with("] caf\xC3\xA9\n    forged\n"));
}

TEST_CASE("a line that would exceed the size starts a new file, and deletes the oldest (LOG-13, LOG-14)",
          "[log]") {
  const Folder folder;
  log::RotatingFile file(by_size(folder, 2 * line_length(), 2));
  for (const char* message : {"a", "b", "c", "d", "e", "f", "g"}) write(file, message);
  CHECK(folder.names() == Names{"web.log", "web.log.1", "web.log.2"});
  CHECK(folder.messages() == Names{"g"});
  CHECK(folder.messages("web.log.1") == Names{"e", "f"});
  CHECK(folder.messages("web.log.2") == Names{"c", "d"});
}

TEST_CASE("a line longer than max_size gets its own file (LOG-13)", "[log]") {
  const Folder folder;
  log::RotatingFile file(by_size(folder, line_length(), 9));
  write(file, std::string(500, 'l'));
  write(file, "a");
  CHECK(folder.names() == Names{"web.log", "web.log.1"});
  CHECK(folder.messages() == Names{"a"});
}

TEST_CASE("without a size or without backups a file grows (LOG-13, LOG-14)", "[log]") {
  const bool has_backups = GENERATE(true, false);
  const Folder folder;
  log::RotatingFile file(has_backups ? by_size(folder, std::nullopt, 3) : by_size(folder, 10, std::nullopt));
  for (const char* message : {"a", "b", "c"}) write(file, message);
  CHECK(folder.names() == Names{"web.log"});
  CHECK(folder.messages() == Names{"a", "b", "c"});
}

TEST_CASE("a restarted program appends to its file, whose length counts (LOG-12)", "[log]") {
  const Folder folder;
  for (const char* message : {"a", "b", "c"}) {
    log::RotatingFile file(by_size(folder, 2 * line_length(), 2));
    write(file, message);
  }
  CHECK(folder.messages() == Names{"c"});
  CHECK(folder.messages("web.log.1") == Names{"a", "b"});
}

TEST_CASE("the file is closed on exec", "[log]") {
  const Folder folder;
  const OwnedFd probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int next = ::dup(probe.get());
  ::close(next);
  const log::RotatingFile file(by_size(folder, std::nullopt, std::nullopt));
  CHECK(::fcntl(next, F_GETFD) == FD_CLOEXEC);
  CHECK((::fcntl(next, F_GETFL) & O_APPEND) != 0);
}

TEST_CASE("the rollover follows from the local time (LOG-15, LOG-16)", "[log]") {
  const TimeZone zone("UTC");
  const sys_seconds now = utc(14, 22, 13, 20);
  CHECK(next_rollover(now, "S", 1) == now + 1s);
  CHECK(next_rollover(now, "s", 30) == now + 30s);
  CHECK(next_rollover(now, "M", 5) == now + 5min);
  CHECK(next_rollover(now, "H", 2) == now + 2h);
  CHECK(next_rollover(now, "D", 1) == now + 24h);
  CHECK(next_rollover(now, "midnight", 1) == utc(15));
  CHECK(next_rollover(now, "MIDNIGHT", 3) == utc(17));
  CHECK(next_rollover(utc(15), "midnight", 1) == utc(16));
  CHECK(next_rollover(utc(15) - 1s, "midnight", 1) == utc(15));
  CHECK(next_rollover(now, "W0", 1) == utc(21));  // at the end of Monday the 20th
  CHECK(next_rollover(now, "w1", 1) == utc(15));  // of today
  CHECK(next_rollover(now, "W2", 1) == utc(16));
  CHECK(next_rollover(now, "W6", 1) == utc(20));
  CHECK(next_rollover(now, "W2", 2) == utc(23));
}

TEST_CASE("midnight is local, and days may be longer or shorter than 24 hours (LOG-15)", "[log]") {
  {
    const TimeZone east("EAST-5:30");
    CHECK(next_rollover(utc(14, 18), "midnight", 1) == utc(14, 18, 30));
    CHECK(next_rollover(utc(14, 19), "midnight", 1) == utc(15, 18, 30));
    CHECK(next_rollover(utc(14, 19), "W1", 1) == utc(21, 18, 30));  // Wednesday has begun there
  }
  {
    const TimeZone new_york("EST5EDT,M3.2.0,M11.1.0");  // winter begins on the 5th
    CHECK(next_rollover(utc(5, 4), "midnight", 1) == utc(6, 5));
  }
  {
    const TimeZone spring("EST5EDT,M11.2.0,M3.1.0");  // summer begins on the 12th
    CHECK(next_rollover(utc(12, 5), "midnight", 1) == utc(13, 4));
  }
  // Summer time begins at midnight before the 5th, so the first hour of that day is missing.
  const TimeZone no_midnight("XST3XDT,M11.1.0/0,M2.3.0/0");
  CHECK(next_rollover(utc(4, 20), "midnight", 1) == utc(5, 3));
  CHECK(next_rollover(utc(5, 2, 30), "midnight", 1) == utc(5, 3));
  CHECK(next_rollover(utc(5, 3), "midnight", 1) == utc(6, 2));
  CHECK(next_rollover(utc(4, 20), "midnight", 1) == utc(5, 3));  // libc may remember summer time
}

TEST_CASE("other values of `when` are refused (LOG-15, LOG-16)", "[log]") {
  for (const char* when : {"", "W", "W7", "W00", "X", "noon"}) {
    CHECK_THROWS_AS(next_rollover(utc(14), when, 1), std::invalid_argument);
  }
  for (const int interval : {0, -1, 100'000'001}) {
    CHECK_THROWS_AS(next_rollover(utc(14), "S", interval), std::invalid_argument);
  }
  CHECK(next_rollover(utc(14), "W0", 100'000'000) > utc(14));
  const Folder folder;
  CHECK_THROWS_AS(log::RotatingFile(by_time(folder, "noon")), std::invalid_argument);
  CHECK_THROWS_AS(log::RotatingFile(by_size(folder, 0, 3)), std::invalid_argument);
  CHECK_THROWS_AS(log::RotatingFile(by_size(folder, 10, 0)), std::invalid_argument);
  CHECK(folder.names().empty());
}

TEST_CASE("a file whose period is over is renamed with the time of its beginning (LOG-15)", "[log]") {
  struct Row {
    const char* when;
    sys_seconds next;
    const char* name;
  };
  const sys_seconds begin = utc(14, 22, 13, 20);
  const auto row = GENERATE_COPY(values<Row>({{"S", begin + 1s, "web.log.2023-11-14_22-13-20"},
                                              {"M", begin + 1min, "web.log.2023-11-14_22-13"},
                                              {"H", begin + 1h, "web.log.2023-11-14_22"},
                                              {"D", begin + 24h, "web.log.2023-11-14"},
                                              {"midnight", utc(15), "web.log.2023-11-14"},
                                              {"W1", utc(15), "web.log.2023-11-08"}}));
  const Folder folder;
  const TimeZone zone("UTC");
  log::RotatingFile file(by_time(folder, row.when));
  write(file, "a", begin);
  write(file, "b", row.next - 1s);
  CHECK(folder.names() == Names{"web.log"});
  write(file, "c", row.next);
  CHECK(folder.names() == Names{"web.log", row.name});
  CHECK(folder.messages(row.name) == Names{"a", "b"});
  CHECK(folder.messages() == Names{"c"});
}

TEST_CASE("in mode `time` the oldest files are deleted, and no others (LOG-14)", "[log]") {
  const Folder folder;
  const TimeZone zone("UTC");
  const Names others{"web.log.2020-01-01_10", "web.log.2020-01-01x", "web.log.bak", "web2.log.2020-01-01"};
  for (const std::string& name : others) std::ofstream(folder.path(name)) << "kept";
  log::RotatingFile file(by_time(folder, "midnight", 2));
  for (int day = 1; day <= 5; ++day) write(file, std::to_string(day), utc(day));
  Names expected = others;
  expected.insert(expected.end(), {"web.log", "web.log.2023-11-03", "web.log.2023-11-04"});
  std::ranges::sort(expected);
  CHECK(folder.names() == expected);
  CHECK(folder.messages("web.log.2023-11-03") == Names{"3"});
}

TEST_CASE("in mode `time`, no backups means that all files are kept (LOG-14)", "[log]") {
  const Folder folder;
  const TimeZone zone("UTC");
  log::RotatingFile file(by_time(folder, "midnight", std::nullopt));
  for (int day = 1; day <= 3; ++day) write(file, std::to_string(day), utc(day));
  CHECK(folder.names() == Names{"web.log", "web.log.2023-11-01", "web.log.2023-11-02"});
}

TEST_CASE("a file of the same time is not replaced (LOG-15)", "[log]") {
  const Folder folder;
  const TimeZone zone("UTC");
  log::RotatingFile file(by_time(folder, "H", 1));
  write(file, "a", utc(14, 1));
  write(file, "b", utc(14, 2));
  CHECK(folder.names() == Names{"web.log", "web.log.2023-11-14_01"});
  // Acts as if the clock had been set back meanwhile.
  std::filesystem::rename(folder.path("web.log.2023-11-14_01"), folder.path("web.log.2023-11-14_02"));
  write(file, "c", utc(14, 3));
  CHECK(folder.names() == Names{"web.log", "web.log.2023-11-14_02.2"});
  CHECK(folder.messages("web.log.2023-11-14_02.2") == Names{"b"});
}

TEST_CASE("a program that starts again the next day leaves yesterday's file behind (LOG-15)", "[log]") {
  const Folder folder;
  const TimeZone zone("UTC");
  {
    log::RotatingFile file(by_time(folder, "midnight"));
    write(file, "a", utc(14, 12));
  }
  timespec times[2]{};
  times[0].tv_sec = times[1].tv_sec = utc(14, 12).time_since_epoch().count();
  REQUIRE(::utimensat(AT_FDCWD, folder.path().c_str(), times, 0) == 0);
  log::RotatingFile file(by_time(folder, "midnight"));
  write(file, "b", utc(16, 12));
  CHECK(folder.messages("web.log.2023-11-14") == Names{"a"});
  CHECK(folder.messages() == Names{"b"});
}

TEST_CASE("a file that was moved away is made again at the next rotation", "[log]") {
  const Folder folder;
  log::RotatingFile file(by_size(folder, line_length(), 2));
  write(file, "a");
  std::filesystem::rename(folder.path(), folder.path("taken"));
  write(file, "b");
  CHECK(folder.names() == Names{"taken", "web.log"});
  CHECK(folder.messages() == Names{"b"});
}

TEST_CASE("a log whose folder is deleted keeps its open file, and reports the error once", "[log]") {
  const auto mode = GENERATE(RotateMode::size, RotateMode::time);
  const Folder folder;
  const Folder screen;
  const TimeZone zone("UTC");
  log::FileOptions options = by_time(folder, "midnight");
  options.rotate_mode = mode;
  options.max_size = line_length();
  log::RotatingFile file(options);
  write(file, "a", utc(1));
  std::filesystem::remove_all(folder.folder());
  {
    const StderrTo to(screen.path("stderr"));
    for (int day = 2; day < 6; ++day) write(file, "b", utc(day));
  }
  CHECK(screen.text("stderr") == "Cannot open log file " + folder.path() + ": No such file or directory\n");
  // Makes the folder again.
  REQUIRE(::mkdir(folder.folder().c_str(), 0700) == 0);
  write(file, "c", utc(6));
  write(file, "d", utc(7));
  CHECK(folder.messages() == Names{"d"});
}

TEST_CASE("a file that cannot be renamed is appended to, and the error is reported once", "[log]") {
  const Folder folder;
  const Folder screen;
  // A file cannot replace a folder.
  std::filesystem::create_directory(folder.path("web.log.1"));
  log::RotatingFile file(by_size(folder, line_length(), 1));
  {
    const StderrTo to(screen.path("stderr"));
    for (const char* message : {"a", "b", "c"}) write(file, message);
  }
  CHECK(folder.messages() == Names{"a", "b", "c"});
  CHECK(screen.text("stderr") == "Cannot rename log file " + folder.path() + ": Is a directory\n");
  std::filesystem::remove(folder.path("web.log.1"));
  write(file, "d");
  CHECK(folder.messages("web.log.1") == Names{"a", "b", "c"});
}

TEST_CASE("a failed write is reported once, and files that are not regular do not rotate", "[log]") {
  if (!std::filesystem::exists("/dev/full")) return;
  const Folder folder;
  const Folder screen;
  // Through a link, because a rotation would rename the device.
  std::filesystem::create_symlink("/dev/full", folder.path());
  log::RotatingFile file(by_size(folder, 1, 3));
  {
    const StderrTo to(screen.path("stderr"));
    for (const char* message : {"a", "b"}) write(file, message);
  }
  CHECK(screen.text("stderr") == "Cannot write log file " + folder.path() + ": No space left on device\n");
  CHECK(folder.names() == Names{"web.log"});
}

TEST_CASE("the options select a file, stderr, both or neither (LOG-06, LOG-11)", "[log]") {
  struct Row {
    bool has_file;
    std::optional<bool> to_stderr;
    bool in_file;
    bool on_stderr;
  };
  const auto row = GENERATE(values<Row>({{false, {}, false, true},
                                         {false, true, false, true},
                                         {false, false, false, false},
                                         {true, {}, true, false},
                                         {true, true, true, true},
                                         {true, false, true, false}}));
  const Folder folder;
  LogCapture restored;
  log::set_handler({});
  {
    const StderrTo to(folder.path("stderr"));
    log::Options options;
    options.to_stderr = row.to_stderr;
    if (row.has_file) options.file.prefix = folder.path();
    // The second call replaces the settings of the first, so each line is written once.
    log::enable_pretty_logging(options);
    log::enable_pretty_logging(options);
    log::general().info("hello");
    log::general().debug("dropped");
  }
  log::set_handler({});
  CHECK(folder.messages() == (row.in_file ? Names{"hello"} : Names{}));
  CHECK(folder.messages("stderr") == (row.on_stderr ? Names{"hello"} : Names{}));
}

TEST_CASE("the program's own handler is still called, and stderr gets no second copy (LOG-06)", "[log]") {
  const Folder folder;
  LogCapture log;
  log::Options options;
  {
    const StderrTo to(folder.path("stderr"));
    log::enable_pretty_logging(options);
    log::general().info("one");
    options.file.prefix = folder.path();
    log::enable_pretty_logging(options);
    log::enable_pretty_logging(options);
    log::general().info("two");
  }
  log::set_handler({});
  CHECK(log.expect("one").message == "one");
  CHECK(log.expect_any("two") == 1);
  CHECK(folder.messages() == Names{"two"});
  CHECK(folder.text("stderr").empty());
}

TEST_CASE("without a level nothing changes (LOG-06)", "[log]") {
  const Folder folder;
  LogCapture log(log::Level::warning);
  log::Options options;
  options.file.prefix = folder.path();
  options.level = std::nullopt;
  log::enable_pretty_logging(options);
  options.level = log::parse_level("none");
  log::enable_pretty_logging(options);
  log::general().info("dropped");
  CHECK(folder.names().empty());
  CHECK(log.empty());
}

TEST_CASE("a file that cannot be opened throws at once, and logging does not change", "[log]") {
  const Folder folder;
  LogCapture log(log::Level::error);
  log::Options options;
  options.file.prefix = folder.path("missing/web.log");
  CHECK_THROWS_AS(log::enable_pretty_logging(options), std::system_error);
  log::general().warning("dropped");
  log::general().error("kept");
  log.expect("kept");
  CHECK(log.empty());
}

template <class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a rotation is by size or time (LOG-07, LOG-17)", "[log]") {
  CHECK(log::parse_rotate_mode("size") == RotateMode::size);
  CHECK(log::parse_rotate_mode("time") == RotateMode::time);
  CHECK(refusal([] { log::parse_rotate_mode("weight"); }) ==
        R"(The value of log_rotate_mode option should be "size" or "time", not "weight".)");
}

TEST_CASE("levels have names (LOG-10)", "[log]") {
  CHECK(log::parse_level("debug") == log::Level::debug);
  CHECK(log::parse_level("info") == log::Level::info);
  CHECK(log::parse_level("WARNING") == log::Level::warning);
  CHECK(log::parse_level("error") == log::Level::error);
  CHECK(log::parse_level("none") == log::Level::none);
  CHECK(
      refusal([] { log::parse_level("loud"); }) ==
      R"(The value of logging option should be "debug", "info", "warning", "error" or "none", not "loud".)");
}

}  // namespace
}  // namespace squall::log_file_test
