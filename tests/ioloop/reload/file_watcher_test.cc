#include <squall/ioloop/reload/file_watcher.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "support/test_loop.h"

namespace squall::file_watcher_test {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;
using testing::TestLoop;
using How = FileWatcher::How;
using Paths = std::vector<std::string>;

struct Watching {
  explicit Watching(How how)
      : watcher([how] {
          FileWatcher::Options options;
          // So long that only a notice can tell of a change.
          options.interval = how == How::notices ? 1h : 20ms;
          options.quiet = 10ms;
          options.how = how;
          return options;
        }()) {}

  Paths next() { return loop.run(watcher.next()); }

  TestLoop loop;
  TemporaryFolder folder;
  FileWatcher watcher;
};

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Task<> take_next(FileWatcher& watcher, Paths& found) {
  Paths paths = co_await watcher.next();
  found = std::move(paths);
}

TEST_CASE("a file that was rewritten, and one that another file replaced, have changed (ARL-03)",
          "[file_watcher]") {
  for (const How how : {How::notices, How::polling}) {
    Watching test(how);
    const std::string page = test.folder.file("page", "one");
    test.watcher.add(page);
    write(page, "two, longer");
    CHECK(test.next() == Paths{page});
    std::filesystem::rename(test.folder.file("new", "two, longer"), page);
    CHECK(test.next() == Paths{page});
  }
}

TEST_CASE("a file that is missing has not changed until it is back with another content (ARL-03)",
          "[file_watcher]") {
  for (const How how : {How::notices, How::polling}) {
    Watching test(how);
    const std::string page = test.folder.file("page", "one");
    const std::string other = test.folder.file("other", "1");
    const std::string later = test.folder / "later";
    for (const std::string& path : {page, other, later}) test.watcher.add(path);
    std::filesystem::remove(page);
    write(later, "at its first sight it is no change");
    write(other, "2, longer");
    CHECK(test.next() == Paths{other});
    write(page, "one, again");
    CHECK(test.next() == Paths{page});
    write(later, "now it is one, because its size is another");
    CHECK(test.next() == Paths{later});
  }
}

TEST_CASE("changes that follow one another are one result", "[file_watcher]") {
  Watching test(How::notices);
  const std::string first = test.folder.file("a", "one");
  const std::string second = test.folder.file("b", "one");
  test.watcher.add(first);
  test.watcher.add(second);
  Paths found;
  test.loop.spawn(take_next(test.watcher, found));
  write(first, "one and two");
  test.loop.call_later(5ms, [&] { write(second, "one and two"); });
  test.loop.run_until([&] { return !found.empty(); });
  CHECK(found == Paths{first, second});
}

TEST_CASE("in a folder also new, moved and removed files are changes, at any depth", "[file_watcher]") {
  for (const How how : {How::notices, How::polling}) {
    Watching test(how);
    std::filesystem::create_directories(test.folder / "pages/deep");
    const std::string old = test.folder.file("pages/old", "1");
    test.watcher.add(test.folder / "pages");
    const std::string page = test.folder.file("pages/deep/page", "1");
    CHECK(test.next() == Paths{page});
    std::filesystem::create_directories(test.folder / "pages/new/er");
    const std::string newer = test.folder.file("pages/new/er/page", "1");
    CHECK(test.next() == Paths{newer});
    std::filesystem::rename(old, test.folder / "pages/z");
    CHECK(test.next() == Paths{old, test.folder / "pages/z"});
    std::filesystem::remove_all(test.folder / "pages/new");
    CHECK(test.next() == Paths{newer});
  }
}

TEST_CASE("hidden files, files of editors, and folders of a build are left out of a folder",
          "[file_watcher]") {
  Watching test(How::notices);
  std::filesystem::create_directories(test.folder / "build");
  test.folder.file("build/build.ninja", "");
  test.watcher.add(test.folder / "");
  for (const char* name : {".hidden", "#page#", "page~", "build/page.o"}) test.folder.file(name, "1");
  const std::string page = test.folder.file("page", "1");
  CHECK(test.next() == Paths{page});
}

TEST_CASE("a symbolic link has changed when the file that it leads to was replaced", "[file_watcher]") {
  for (const How how : {How::notices, How::polling}) {
    Watching test(how);
    std::filesystem::create_directories(test.folder / "real");
    std::filesystem::create_directories(test.folder / "links");
    test.folder.file("real/page", "1");
    std::filesystem::create_symlink("../real/page", test.folder / "links/page");
    test.watcher.add(test.folder / "links/page");
    write(test.folder / "real/page", "2, longer");
    CHECK(test.next() == Paths{test.folder / "links/page"});
  }
}

void append_for_ever(IOLoop& loop, const std::string& path) {
  std::ofstream(path, std::ios::binary | std::ios::app) << "line\n";
  loop.call_later(1ms, [&loop, path] { append_for_ever(loop, path); });
}

TEST_CASE("a file that is always being written does not delay the changes of other files for ever",
          "[file_watcher]") {
  Watching test(How::notices);
  const std::string log = test.folder.file("log", "");
  const std::string page = test.folder.file("page", "1");
  test.watcher.add(test.folder / "");
  append_for_ever(test.loop, log);
  write(page, "2, longer");
  CHECK(test.next() == Paths{page});
}

TEST_CASE("take() returns the changes at once, and new files apart; they are in no later result",
          "[file_watcher]") {
  Watching test(How::notices);
  const std::string page = test.folder.file("page", "1");
  const std::string old = test.folder.file("old", "1");
  test.watcher.add(test.folder / "");
  write(page, "2, longer");
  std::filesystem::remove(old);
  const std::string added = test.folder.file("new", "1");
  const FileWatcher::Changes changes = test.watcher.take();
  CHECK(changes.changed == Paths{old, page});
  CHECK(changes.added == Paths{added});
  CHECK(test.watcher.take().changed.empty());
  write(added, "2, longer");
  CHECK(test.next() == Paths{added});
}

TEST_CASE("a path that is added while a task waits is watched", "[file_watcher]") {
  Watching test(How::notices);
  test.watcher.add(test.folder.file("first", "1"));
  const std::string second = test.folder.file("second", "1");
  Paths found;
  test.loop.spawn(take_next(test.watcher, found));
  test.watcher.add(second);
  write(second, "2, longer");
  test.loop.run_until([&] { return !found.empty(); });
  CHECK(found == Paths{second});
}

TEST_CASE("a task of next() can be destroyed wherever it waits", "[file_watcher]") {
  for (const How how : {How::notices, How::polling}) {
    Watching test(how);
    const std::string page = test.folder.file("page", "1");
    test.watcher.add(page);
    {
      TaskGroup group(test.loop);  // destroyed while it waits for a hint
      Paths found;
      group.add(take_next(test.watcher, found));
      test.loop.run_turn();
    }
    {
      TaskGroup group(test.loop);  // destroyed while it waits for the end of the changes
      Paths found;
      group.add(take_next(test.watcher, found));
      write(page, "2, longer");
      if (how == How::notices) {
        test.loop.run_turn();
        test.loop.run_turn();
      }
      CHECK(found.empty());
    }
    CHECK(test.next() == Paths{page});
  }
}

TEST_CASE("an interval that is not positive is refused", "[file_watcher]") {
  FileWatcher::Options options;
  options.quiet = 0s;
  CHECK_THROWS_AS(FileWatcher(options), std::invalid_argument);
  options = {};
  options.interval = -1s;
  CHECK_THROWS_AS(FileWatcher(options), std::invalid_argument);
}

}  // namespace
}  // namespace squall::file_watcher_test
