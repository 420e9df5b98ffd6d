#include <squall/web/static/file_versions.h>

#include <squall/ioloop/process/executor.h>
#include <squall/web/static/content_hash.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_loop.h"

namespace squall::web::file_versions_test {
namespace {

using namespace std::chrono_literals;
using Outcome = OpenedFile::Outcome;
using With = FileVersions::With;

const std::string kHello =
    "e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a36e10f8bcb8d45223e54"
    "878f5b316e7ce3b6bc019629";

// Limits with which new files are trusted at once.
FileVersions::Limits trusting() {
  FileVersions::Limits limits;
  limits.settled = -10s;
  return limits;
}
// Limits with which these bytes count as a large file.
FileVersions::Limits small() {
  FileVersions::Limits limits = trusting();
  limits.content = 4;
  limits.hashed_at_once = 8;
  limits.hashed = 16;
  return limits;
}

struct Folder : testing::TemporaryFolder {
  std::string root = *this / "";
};

TEST_CASE("the hash is SHA-512 in lower-case digits (WEB-141)", "[file_versions]") {
  CHECK(hash_of("hello\n") == kHello);
  const Folder folder;
  const OwnedFd file(::open(folder.file("a", "hello\nand more").c_str(), O_RDONLY));
  CHECK(hash_of_file(file.get(), 6) == kHello);
  CHECK(hash_of_file(file.get(), 100) == std::nullopt);
  CHECK(hash_of_file(-1, 1) == std::nullopt);
  const std::string large(300'000, 'x');
  const OwnedFd other(::open(folder.file("b", large).c_str(), O_RDONLY));
  CHECK(hash_of_file(other.get(), large.size()) == hash_of(large));
}

TEST_CASE("a small file is read once, and kept while it does not change", "[file_versions]") {
  const Folder folder;
  static_cast<void>(folder.file("a", "hello\n"));
  FileVersions versions(trusting());
  const FileVersions::Found first = versions.find(folder.root, "a");
  CHECK(first.outcome == Outcome::file);
  CHECK(*first.version->content == "hello\n");
  CHECK(first.version->hash == kHello);
  CHECK(first.version->etag == "\"" + kHello + "\"");
  CHECK(!first.fd);
  CHECK(versions.find(folder.root, "a").version == first.version);
  CHECK(versions.size() == 1);
  CHECK(versions.bytes() == 6);
}

TEST_CASE("a file that changes gets another version, however it changes (WEB-142)", "[file_versions]") {
  const Folder folder;
  const std::string path = folder.file("a", "hello\n");
  FileVersions versions(trusting());
  CHECK(versions.hash_now(folder.root, "a") == kHello);
  SECTION("its content, with another size") { static_cast<void>(folder.file("a", "other content")); }
  SECTION("its content, with the same size and time") {
    struct stat before{};
    REQUIRE(::stat(path.c_str(), &before) == 0);
    static_cast<void>(folder.file("a", "hallo\n"));
    const timespec times[2] = {before.st_mtim, before.st_mtim};
    struct stat after{};
    // The clock of the file system may not have ticked yet: then write until it has.
    do {
      static_cast<void>(folder.file("a", "hallo\n"));
      REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
      REQUIRE(::stat(path.c_str(), &after) == 0);
    } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
  }
  SECTION("another file takes its place") { std::filesystem::rename(folder.file("b", "hallo\n"), path); }
  CHECK(versions.hash_now(folder.root, "a") != kHello);
  CHECK(versions.hash_now(folder.root, "a").size() == 128);
  CHECK(versions.size() == 1);
}

TEST_CASE("a file that has just changed is read for each request: its times may not show the next change",
          "[file_versions]") {
  const Folder folder;
  static_cast<void>(folder.file("a", "hello\n"));
  FileVersions versions;
  const auto first = versions.find(folder.root, "a").version;
  const auto second = versions.find(folder.root, "a").version;
  CHECK(first != second);
  CHECK(first->hash == second->hash);
}

TEST_CASE("a file that is gone, or has become a link out of the root, is forgotten", "[file_versions]") {
  const Folder folder;
  const Folder outside;
  const std::string secret = outside.file("secret", "secret");
  const std::string path = folder.file("a", "hello\n");
  FileVersions versions(trusting());
  CHECK(versions.find(folder.root, "a").outcome == Outcome::file);
  std::filesystem::remove(path);
  CHECK(versions.find(folder.root, "a").outcome == Outcome::not_found);
  CHECK(versions.size() == 0);
  CHECK(versions.bytes() == 0);
  static_cast<void>(folder.file("a", "hello\n"));
  CHECK(versions.find(folder.root, "a").outcome == Outcome::file);
  std::filesystem::remove(path);
  std::filesystem::create_symlink(secret, path);
  CHECK(versions.find(folder.root, "a").outcome == Outcome::forbidden);
  CHECK(!versions.find(folder.root, "a").version);
  CHECK(versions.hash_now(folder.root, "a").empty());
}

TEST_CASE("the kept versions have limits, and the one unused for longest goes first", "[file_versions]") {
  const Folder folder;
  for (const char* name : {"a", "b", "c", "d"}) static_cast<void>(folder.file(name, "hello\n"));
  FileVersions::Limits limits = trusting();
  SECTION("by number") { limits.files = 2; }
  SECTION("by bytes") { limits.contents = 13; }
  FileVersions versions(limits);
  const auto a = versions.find(folder.root, "a").version;
  const auto b = versions.find(folder.root, "b").version;
  CHECK(versions.find(folder.root, "a").version == a);
  CHECK(versions.find(folder.root, "c").outcome == Outcome::file);
  CHECK(versions.size() == 2);
  CHECK(versions.bytes() == 12);
  CHECK(versions.find(folder.root, "a").version == a);
  CHECK(versions.find(folder.root, "b").version != b);
}

TEST_CASE("a file too large for its content to be kept is opened for each request", "[file_versions]") {
  const Folder folder;
  static_cast<void>(folder.file("a", "hello\n"));
  FileVersions versions(small());
  const FileVersions::Found first = versions.find(folder.root, "a");
  CHECK(first.version->hash == kHello);
  CHECK(!first.version->content);
  CHECK(first.fd);
  const FileVersions::Found second = versions.find(folder.root, "a");
  CHECK(second.version == first.version);
  CHECK(second.fd);
  CHECK(versions.bytes() == 0);
}

TEST_CASE("the hash of a very large file is made of its time and size", "[file_versions]") {
  const Folder folder;
  const std::string path = folder.file("a", std::string(20, 'x'));
  const timespec times[2] = {{255, 10}, {255, 10}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  FileVersions versions(small());
  CHECK(versions.find(folder.root, "a").version->hash == "ff-a-14");
}

TEST_CASE("folders and missing files have no version", "[file_versions]") {
  const Folder folder;
  FileVersions versions;
  CHECK(versions.find(folder.root, "").outcome == Outcome::folder);
  CHECK(versions.find(folder.root, "a").outcome == Outcome::not_found);
  CHECK(versions.size() == 0);
}

// ---- Siblings.

TEST_CASE("siblings are looked for if asked, and the answer is remembered for a while", "[file_versions]") {
  const Folder folder;
  static_cast<void>(folder.file("a", "hello\n"));
  FileVersions::Limits limits = trusting();
  limits.siblings_checked = 1h;
  FileVersions versions(limits);
  CHECK(versions.find(folder.root, "a", With::siblings).siblings.none());
  static_cast<void>(folder.file("a.gz", "gz"));
  CHECK(versions.find(folder.root, "a", With::siblings).siblings.none());
  limits.siblings_checked = 0s;
  versions.set_limits(limits);
  CHECK(versions.find(folder.root, "a", With::siblings).siblings.to_string() == "100");
  CHECK(versions.find(folder.root, "a", With::file_only).siblings.none());
}

TEST_CASE("a known file that has siblings is not opened: a sibling is opened in its place",
          "[file_versions]") {
  const Folder folder;
  const Folder outside;
  const std::string path = folder.file("a", GENERATE(std::string("hello\n"), std::string("hello world\n")));
  const std::string sibling = folder.file("a.gz", "gz");
  FileVersions::Limits limits = small();
  limits.siblings_checked = 0s;
  FileVersions versions(limits);
  const FileVersions::Found first = versions.find(folder.root, "a", With::siblings);
  CHECK(first.is_open());
  CHECK(first.siblings.to_string() == "100");
  const FileVersions::Found second = versions.find(folder.root, "a", With::siblings);
  CHECK(second.outcome == Outcome::file);
  CHECK(second.identity == first.identity);
  CHECK(second.version == first.version);
  CHECK(second.siblings.to_string() == "100");
  CHECK_FALSE(second.is_open());
  CHECK(versions.find(folder.root, "a").is_open());
  SECTION("unless the siblings are gone") {
    std::filesystem::remove(sibling);
    const FileVersions::Found third = versions.find(folder.root, "a", With::siblings);
    CHECK(third.is_open());
    CHECK(third.version == first.version);
    CHECK(third.siblings.none());
  }
  SECTION("and is noticed when it changes") {
    static_cast<void>(folder.file("a", "other content of the file"));
    const FileVersions::Found third = versions.find(folder.root, "a", With::siblings);
    CHECK(third.is_open());
    CHECK(third.identity != first.identity);
  }
  SECTION("and is noticed when a link out of the folder takes its place") {
    const std::string secret = outside.file("secret", "secret");
    std::filesystem::remove(path);
    std::filesystem::create_symlink(secret, path);
    CHECK(versions.find(folder.root, "a", With::siblings).outcome == Outcome::forbidden);
  }
}

// ---- Hashes in the executor.

// Keeps its jobs until the test runs them.
class HeldExecutor final : public Executor {
 public:
  void submit(Callback job) override { jobs.push_back(std::move(job)); }
  void run_all() {
    for (Callback& job : std::exchange(jobs, {})) job();
  }

  std::vector<Callback> jobs;
};

struct HashLoop {
  HashLoop() { loop.set_default_executor(executor); }

  // Starts a computation for `a`.
  void start(const FileVersions::Found& found) { group.add(hash(found)); }
  Task<> hash(const FileVersions::Found& found) {
    const auto version = co_await versions.hash(folder.root, "a", found.fd.get(), found.identity);
    hashes.push_back(version->hash);
  }

  testing::TestLoop loop;
  std::shared_ptr<HeldExecutor> executor = std::make_shared<HeldExecutor>();
  const Folder folder;
  FileVersions versions{small()};
  std::vector<std::string> hashes;
  TaskGroup group{loop};
};

TEST_CASE("a large file is hashed in the executor, once for all who wait (WEB-142)", "[file_versions]") {
  HashLoop test;
  const std::string content(16, 'x');
  static_cast<void>(test.folder.file("a", content));
  const FileVersions::Found found = test.versions.find(test.folder.root, "a");
  CHECK(found.outcome == Outcome::file);
  REQUIRE(!found.version);
  for (int i = 0; i < 3; ++i) test.start(found);
  test.loop.run_turn();
  CHECK(test.executor->jobs.size() == 1);
  CHECK(test.hashes.empty());
  test.executor->run_all();
  test.loop.run_until([&] { return test.hashes.size() == 3; });
  CHECK(test.hashes == std::vector<std::string>(3, hash_of(content)));
  CHECK(test.versions.find(test.folder.root, "a").version->hash == hash_of(content));
  test.start(found);
  CHECK(test.hashes.size() == 4);
  CHECK(test.executor->jobs.empty());
}

TEST_CASE("a computation whose task is destroyed is taken over by another that waits", "[file_versions]") {
  HashLoop test;
  const std::string content(16, 'x');
  static_cast<void>(test.folder.file("a", content));
  const FileVersions::Found found = test.versions.find(test.folder.root, "a");
  {
    TaskGroup first(test.loop);
    first.add(test.hash(found));
    test.loop.run_turn();
    test.start(found);
    test.loop.run_turn();
    CHECK(test.executor->jobs.size() == 1);
  }
  test.loop.run_until([&] { return test.executor->jobs.size() == 2; });
  test.executor->run_all();
  test.loop.run_until([&] { return !test.hashes.empty(); });
  CHECK(test.hashes == std::vector<std::string>{hash_of(content)});
}

TEST_CASE("a task that waits for the computation of another may be destroyed", "[file_versions]") {
  HashLoop test;
  static_cast<void>(test.folder.file("a", std::string(16, 'x')));
  const FileVersions::Found found = test.versions.find(test.folder.root, "a");
  test.start(found);
  test.loop.run_turn();
  {
    TaskGroup second(test.loop);
    second.add(test.hash(found));
    test.loop.run_turn();
  }
  test.executor->run_all();
  test.loop.run_until([&] { return !test.hashes.empty(); });
  test.loop.run_turn();
  CHECK(test.hashes.size() == 1);
}

TEST_CASE("a file that changes while it is hashed has no hash", "[file_versions]") {
  HashLoop test;
  const std::string path = test.folder.file("a", std::string(16, 'x'));
  const FileVersions::Found found = test.versions.find(test.folder.root, "a");
  test.start(found);
  test.loop.run_turn();
  REQUIRE(::truncate(path.c_str(), 9) == 0);
  test.executor->run_all();
  test.loop.run_until([&] { return !test.hashes.empty(); });
  CHECK(test.hashes == std::vector<std::string>{""});
  CHECK(test.versions.size() == 0);
}

TEST_CASE("hash_now() hashes a large file at once", "[file_versions]") {
  const Folder folder;
  const std::string content(16, 'x');
  static_cast<void>(folder.file("a", content));
  FileVersions versions(small());
  CHECK(versions.hash_now(folder.root, "a") == hash_of(content));
  CHECK(versions.find(folder.root, "a").version->hash == hash_of(content));
  CHECK(versions.hash_now(folder.root, "missing").empty());
}

}  // namespace
}  // namespace squall::web::file_versions_test
