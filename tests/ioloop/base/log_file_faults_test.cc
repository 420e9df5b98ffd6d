// The system calls of a log file fail: lines are not lost, and no backup is overwritten.

#include "support/faults.h"

#include <squall/ioloop/base/log_file.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>

#include "support/temporary_folder.h"

namespace squall::log_file_faults_test {
namespace {

using testing::TemporaryFolder;
using testing::faults::Call;
using testing::faults::Injection;
using testing::faults::kAlways;
using testing::faults::open_descriptors;

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

log::Record record(std::string_view message, std::chrono::system_clock::time_point time) {
  return {log::general(), log::Level::info, std::source_location::current(), time, message};
}

// A file for one line, and its two backups.
struct Small {
  Small() {
    options.prefix = folder / "log";
    options.max_size = 10;
    options.num_backups = 2;
  }
  void write(std::string_view message) { file().write(record(message, std::chrono::system_clock::now())); }
  log::RotatingFile& file() {
    if (!file_) file_ = std::make_unique<log::RotatingFile>(options);
    return *file_;
  }
  // All lines, of the newest file first.
  std::string all() const {
    return contents_of(options.prefix) + contents_of(options.prefix + ".1") +
           contents_of(options.prefix + ".2");
  }

  TemporaryFolder folder;
  log::FileOptions options;
  std::unique_ptr<log::RotatingFile> file_;
};

TEST_CASE("a log file that cannot be opened is an error with its name, and leaves no descriptor",
          "[faults]") {
  for (const int error : {EACCES, EISDIR, EMFILE, ENOENT, ENOSPC, EROFS}) {
    Small small;
    const int open = open_descriptors();
    const Injection fault(Call::open, error);
    std::string said;
    try {
      small.file();
    } catch (const std::system_error& thrown) {
      said = thrown.what();
      CHECK(thrown.code().value() == error);
    }
    CHECK(has(said, small.options.prefix));
    CHECK(open_descriptors() == open);
  }
}

TEST_CASE("a log file that cannot be rotated takes the lines further, and is rotated later", "[faults]") {
  for (const Call call : {Call::rename, Call::lstat, Call::open}) {
    INFO(testing::faults::name_of(call));
    Small small;
    small.write("first");
    {
      const Injection fault(call, EACCES, {.times = kAlways});
      small.write("second");
      CHECK(fault.hits() > 0);
    }
    small.write("third");
    const std::string all = small.all();
    CHECK(has(all, "first"));
    CHECK(has(all, "second"));
    CHECK(has(contents_of(small.options.prefix), "third"));
  }
}

TEST_CASE("an lstat() that fails does not make a rotation overwrite a backup", "[faults]") {
  for (const int after : {0, 1, 2}) {
    CAPTURE(after);
    Small small;
    small.options.num_backups = 3;
    for (const char* message : {"first", "second", "third"}) small.write(message);
    const Injection fault(Call::lstat, EACCES, {.after = after});
    small.write("fourth");
    CHECK(fault.hits() == 1);
    const std::string all = small.all();
    for (const char* message : {"first", "second", "third", "fourth"}) CHECK(has(all, message));
  }
}

TEST_CASE("a rotation by time ends although no free name can be found", "[faults]") {
  TemporaryFolder folder;
  log::FileOptions options;
  options.prefix = folder / "log";
  options.rotate_mode = log::RotateMode::time;
  options.when = "s";
  log::RotatingFile file(options);
  const auto now = std::chrono::system_clock::now();
  file.write(record("first", now));
  {
    // The file itself is there; whether the new name is free remains unknown.
    const Injection fault(Call::lstat, EACCES, {.after = 1, .times = kAlways});
    file.write(record("second", now + std::chrono::seconds(5)));
    CHECK(fault.hits() > 0);
  }
  CHECK(has(contents_of(options.prefix), "first"));
  CHECK(has(contents_of(options.prefix), "second"));
}

TEST_CASE("a log file whose fstat() fails is written, and not rotated", "[faults]") {
  Small small;
  const Injection fault(Call::fstat, EIO);
  small.file();
  CHECK(fault.hits() == 1);
  for (const char* message : {"first", "second"}) small.write(message);
  CHECK(has(contents_of(small.options.prefix), "first"));
  CHECK(has(contents_of(small.options.prefix), "second"));
}

}  // namespace
}  // namespace squall::log_file_faults_test
