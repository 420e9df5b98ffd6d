#include <squall/web/static/open_beneath.h>

#include <squall/web/static/open_by_components.h>
#include <squall/web/static/open_by_kernel.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_loop.h"

namespace squall::web::open_beneath_test {
namespace {

namespace fs = std::filesystem;
using Outcome = OpenedFile::Outcome;

std::string read_all(int fd) {
  char buffer[64];
  const ssize_t count = ::read(fd, buffer, sizeof buffer);
  return count < 0 ? std::strerror(errno) : std::string(buffer, static_cast<std::size_t>(count));
}

// root/file, root/dir/inner, and outside/secret, which no path beneath root may open.
struct Tree {
  Tree() {
    fs::create_directories(root + "/dir/deep");
    fs::create_directories(folder / "outside");
    fs::create_directories(folder / "root_evil");
    static_cast<void>(folder.file("root/file", "file"));
    static_cast<void>(folder.file("root/dir/inner", "inner"));
    static_cast<void>(folder.file("outside/secret", "secret"));
    static_cast<void>(folder.file("root_evil/secret", "secret"));
  }
  void link(const std::string& target, const std::string& name) const {
    fs::create_symlink(target, root + "/" + name);
  }

  testing::TemporaryFolder folder;
  std::string root = folder / "root";
};

// The two ways to open a file: the kernel's, if it has one, and component by component.
enum class Way { kernel, components };
int open_in(const std::string& root, const std::string& path, Way way) {
  const OwnedFd folder(::open(root.c_str(), folder_flags()));
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  return way == Way::kernel ? open_by_kernel(folder.get(), path.c_str(), flags)
                            : open_by_components(folder.get(), path, flags);
}
std::string error_name() {
  switch (errno) {
    case EXDEV: return "EXDEV";
    case ENOENT: return "ENOENT";
    case ENOTDIR: return "ENOTDIR";
    case ELOOP: return "ELOOP";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    default: return std::strerror(errno);
  }
}
// The content of a file, "folder", or the error.
std::string opened(const std::string& root, const std::string& path, Way way) {
  const OwnedFd fd(open_in(root, path, way));
  if (!fd) return error_name();
  struct stat status{};
  ::fstat(fd.get(), &status);
  return S_ISDIR(status.st_mode) ? "folder" : read_all(fd.get());
}
bool kernel_can() {
  const OwnedFd fd(open_in("/", "tmp", Way::kernel));
  return fd || errno != ENOSYS;
}
// The result of both ways; "they differ" if they do.
std::string both(const Tree& tree, const std::string& path) {
  const std::string by_components = opened(tree.root, path, Way::components);
  if (!kernel_can()) return by_components;
  const std::string by_kernel = opened(tree.root, path, Way::kernel);
  return by_kernel == by_components ? by_kernel : "they differ: " + by_kernel + ", " + by_components;
}

TEST_CASE("files and folders beneath the root are opened", "[open_beneath]") {
  const Tree tree;
  CHECK(both(tree, "file") == "file");
  CHECK(both(tree, "dir/inner") == "inner");
  CHECK(both(tree, "dir") == "folder");
  CHECK(both(tree, "dir/") == "folder");
  CHECK(both(tree, ".") == "folder");
  CHECK(both(tree, "missing") == "ENOENT");
  CHECK(both(tree, "missing/file") == "ENOENT");
  CHECK(both(tree, "file/inner") == "ENOTDIR");
  CHECK(both(tree, "file/") == "ENOTDIR");
  CHECK(both(tree, "FILE") == "ENOENT");
  CHECK(both(tree, std::string(300, 'x')) == "ENAMETOOLONG");
}

TEST_CASE("links are followed while they stay beneath the root", "[open_beneath]") {
  const Tree tree;
  tree.link("file", "to_file");
  tree.link("dir", "to_dir");
  tree.link("dir/", "to_dir_slash");
  tree.link("../file", "dir/up");
  tree.link("../../dir/inner", "dir/deep/up_and_down");
  tree.link("to_dir/up", "through");
  tree.link("./dir//deep/..//inner", "crooked");
  CHECK(both(tree, "to_file") == "file");
  CHECK(both(tree, "to_dir") == "folder");
  CHECK(both(tree, "to_dir/inner") == "inner");
  CHECK(both(tree, "to_dir/up") == "file");
  CHECK(both(tree, "to_dir_slash") == "folder");
  CHECK(both(tree, "to_dir_slash/inner") == "inner");
  CHECK(both(tree, "dir/up") == "file");
  CHECK(both(tree, "dir/deep/up_and_down") == "inner");
  CHECK(both(tree, "through") == "file");
  CHECK(both(tree, "crooked") == "inner");
  CHECK(both(tree, "to_file/") == "ENOTDIR");
}

TEST_CASE("a link out of the root is refused, and so is every absolute link (SEC-51)", "[open_beneath]") {
  const Tree tree;
  tree.link("../outside/secret", "secret");
  tree.link("../outside", "out");
  tree.link("../root_evil/secret", "evil");
  tree.link("..", "parent");
  tree.link("../root/file", "out_and_back");
  tree.link(tree.folder / "outside/secret", "absolute");
  tree.link(tree.root + "/file", "absolute_inside");
  tree.link("/", "slash");
  tree.link("secret", "chained");
  for (const std::string path : {"secret", "out/secret", "evil", "parent", "parent/outside/secret",
                                 "out_and_back", "absolute", "absolute_inside", "slash/etc/passwd", "chained",
                                 "..", "../outside/secret", "dir/../../outside/secret"})
    CHECK(both(tree, path) == "EXDEV");
}

TEST_CASE("links without an end are errors", "[open_beneath]") {
  const Tree tree;
  tree.link("loop", "loop");
  tree.link("b", "a");
  tree.link("a", "b");
  tree.link(".", "here");
  tree.link("missing", "dangling");
  CHECK(both(tree, "loop") == "ELOOP");
  CHECK(both(tree, "a/x") == "ELOOP");
  CHECK(both(tree, "dangling") == "ENOENT");
  std::string path;
  for (int i = 0; i < 40; ++i) path += "here/";
  CHECK(both(tree, path + "file") == "file");
  CHECK(both(tree, path + "here/file") == "ELOOP");
}

TEST_CASE("a link that is replaced during the call cannot lead out of the root", "[open_beneath][threads]") {
  const Tree tree;
  fs::create_directories(tree.root + "/inside");
  static_cast<void>(tree.folder.file("root/inside/secret", "public"));
  tree.link("inside", "link");
  const Way way = GENERATE(Way::kernel, Way::components);
  if (way == Way::kernel && !kernel_can()) return;
  std::atomic<bool> is_ended = false;
  std::thread attacker([&] {
    const std::string next = tree.root + "/next";
    const std::string link = tree.root + "/link";
    for (int i = 0; !is_ended; ++i) {
      static_cast<void>(::symlink(i % 2 ? "inside" : "../outside", next.c_str()));
      static_cast<void>(::rename(next.c_str(), link.c_str()));
    }
  });
  int reads = 0;
  int refusals = 0;
  int leaks = 0;
  const auto end = std::chrono::steady_clock::now() + testing::TestLoop::patience();
  while ((reads < 100 || refusals < 100) && std::chrono::steady_clock::now() < end) {
    const std::string result = opened(tree.root, "link/secret", way);
    reads += result == "public";
    refusals += result == "EXDEV";
    leaks += result == "secret";
  }
  is_ended = true;
  attacker.join();
  CHECK(leaks == 0);
  CHECK(reads >= 100);
  CHECK(refusals >= 100);
}

// ---- open_beneath() itself.

TEST_CASE("open_beneath() says what it found (WEB-147)", "[open_beneath]") {
  const Tree tree;
  tree.link("../outside/secret", "secret");
  tree.link("loop", "loop");
  const OpenedFile file = open_beneath(tree.root, "dir/inner");
  CHECK(file.outcome == Outcome::file);
  CHECK(file.status.st_size == 5);
  CHECK(read_all(file.fd.get()) == "inner");
  CHECK(open_beneath(tree.root, "dir").outcome == Outcome::folder);
  CHECK(open_beneath(tree.root, "").outcome == Outcome::folder);
  CHECK(open_beneath(tree.root, "secret").outcome == Outcome::forbidden);
  CHECK(open_beneath(tree.root, "loop").outcome == Outcome::not_found);
  CHECK(open_beneath(tree.root, "missing").outcome == Outcome::not_found);
  CHECK(open_beneath(tree.root, "file/").outcome == Outcome::not_found);
  CHECK(open_beneath(tree.root, std::string(5000, 'x')).outcome == Outcome::not_found);
}

TEST_CASE("a FIFO, a socket and a device are forbidden, and do not block (WEB-147)", "[open_beneath]") {
  const Tree tree;
  REQUIRE(::mkfifo((tree.root + "/fifo").c_str(), 0600) == 0);
  CHECK(open_beneath(tree.root, "fifo").outcome == Outcome::forbidden);
  const OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (tree.root + "/socket").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(open_beneath(tree.root, "socket").outcome == Outcome::forbidden);
  CHECK(open_beneath("/dev", "null").outcome == Outcome::forbidden);
}

TEST_CASE("the root may be a link, the root of the system, or relative; it must exist", "[open_beneath]") {
  const Tree tree;
  fs::create_symlink("root", tree.folder / "current");
  CHECK(open_beneath(tree.folder / "current", "file").outcome == Outcome::file);
  CHECK(open_beneath("/", tree.root.substr(1) + "/file").outcome == Outcome::file);
  CHECK(open_beneath(fs::relative(tree.root), "file").outcome == Outcome::file);
  CHECK(open_beneath("", ".").outcome == Outcome::folder);
  CHECK_THROWS_WITH(open_beneath(tree.folder / "none", "file"),
                    Catch::Contains("Cannot open the folder of static files"));
  CHECK_THROWS_AS(open_beneath(tree.root + "/file", "x"), std::system_error);
}

}  // namespace
}  // namespace squall::web::open_beneath_test
