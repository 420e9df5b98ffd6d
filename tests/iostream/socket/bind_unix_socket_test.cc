#include <squall/iostream/socket/bind_unix_socket.h>

#include <squall/iostream/address/unix_address.h>
#include <squall/iostream/socket/socket.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <system_error>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::bind_unix_socket_test {
namespace {

using namespace std::string_literals;
using testing::TemporaryFolder;

mode_t mode_of(const std::string& path) {
  struct stat file{};
  REQUIRE(::lstat(path.c_str(), &file) == 0);
  CHECK(S_ISSOCK(file.st_mode));
  return file.st_mode & 07777;
}
bool exists(const std::string& path) {
  struct stat file{};
  return ::lstat(path.c_str(), &file) == 0;
}
// errno, or 0.
int connect_to(const std::string& name) {
  const UnixAddress address(name);
  const OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(fd.get(), address.data(), address.size()) == 0 ? 0 : errno;
}
struct Umask {
  explicit Umask(mode_t mask) : before(::umask(mask)) {}
  ~Umask() { ::umask(before); }
  mode_t before;
};

TEST_CASE("a Unix socket listens, does not block, and is its owner's alone", "[bind_unix_socket]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  const OwnedFd fd = bind_unix_socket(path);
  CHECK(mode_of(path) == 0600);
  CHECK(accept_from(fd.get()).error == EAGAIN);
  CHECK(connect_to(path) == 0);
  const Accepted accepted = accept_from(fd.get());
  CHECK(accepted.fd);
  CHECK(accepted.peer.is_unix());
  CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a Unix socket has the mode of the options, whatever the umask (NET-10)", "[bind_unix_socket]") {
  const TemporaryFolder folder;
  for (const mode_t mask : {0, 022, 077, 0777}) {
    const Umask umask(mask);
    for (const mode_t mode : {0600, 0660, 0666, 0777}) {
      UnixListenOptions options;
      options.mode = mode;
      const std::string path = folder / "socket";
      const OwnedFd fd = bind_unix_socket(path, options);
      CHECK(mode_of(path) == mode);
    }
  }
}

TEST_CASE("an existing socket file is replaced, whether or not a server listens (NET-10)",
          "[bind_unix_socket]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  OwnedFd first = bind_unix_socket(path);
  CHECK(connect_to(path) == 0);
  const OwnedFd second = bind_unix_socket(path);
  CHECK(accept_from(first.get()).fd);  // an earlier connection still belongs to the first server
  CHECK(connect_to(path) == 0);
  CHECK(accept_from(first.get()).error == EAGAIN);
  CHECK(accept_from(second.get()).fd);
  first.reset();
  CHECK(connect_to(path) == 0);
}

TEST_CASE("any other file is left alone (NET-10)", "[bind_unix_socket]") {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  std::ofstream(path) << "precious";
  const std::string link = folder / "link";
  const OwnedFd other = bind_unix_socket(folder / "other");
  REQUIRE(::symlink((folder / "other").c_str(), link.c_str()) == 0);
  for (const std::string& name : {path, link}) {
    try {
      bind_unix_socket(name);
      FAIL("bound");
    } catch (const std::system_error& error) {
      CHECK(error.code().value() == EEXIST);
      CHECK(std::string(error.what()) ==
            "cannot listen on unix:" + name + ", which is not a socket: File exists");
    }
    CHECK(exists(name));
  }
  CHECK(connect_to(link) == 0);
}

TEST_CASE("a path that cannot be is an error that names it", "[bind_unix_socket]") {
  const TemporaryFolder folder;
  const std::string path = folder / "no such folder/socket";
  try {
    bind_unix_socket(path);
    FAIL("bound");
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()) == "cannot listen on unix:" + path + ": No such file or directory");
  }
  CHECK_THROWS_AS(bind_unix_socket(std::string(200, 'x')), std::system_error);
  CHECK_THROWS_AS(bind_unix_socket(""), std::invalid_argument);
}

TEST_CASE("an abstract socket has no file, and a name in use is refused (NET-11)", "[bind_unix_socket]") {
  const std::string name = "@squall-" + std::to_string(::getpid());
  OwnedFd first = bind_unix_socket(name);
  CHECK_FALSE(exists(name));
  CHECK(connect_to("\0"s + name.substr(1)) == 0);
  try {
    bind_unix_socket(name);
    FAIL("bound");
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()) == "cannot listen on unix:" + name + ": Address already in use");
  }
  first.reset();
  CHECK(connect_to(name) == ECONNREFUSED);
  CHECK(bind_unix_socket(name));
}

TEST_CASE("a UnixSocketFile removes its file, unless another socket has replaced it", "[bind_unix_socket]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  {
    const OwnedFd fd = bind_unix_socket(path);
    UnixSocketFile file(fd.get());
    {
      const UnixSocketFile moved(std::move(file));
      CHECK(exists(path));
    }
    CHECK_FALSE(exists(path));
  }
  const OwnedFd ours = bind_unix_socket(path);
  {
    const UnixSocketFile file(ours.get());
    const OwnedFd successor = bind_unix_socket(path);
    UnixSocketFile(successor.get()).release();
    CHECK(exists(path));
  }
  CHECK(exists(path));
  {
    const OwnedFd again = bind_unix_socket(path);
    const UnixSocketFile file(again.get());
    REQUIRE(::unlink(path.c_str()) == 0);
    std::ofstream(path) << "precious";
  }
  CHECK(exists(path));
  // There is no file to remove.
  const UnixSocketFile gone(ours.get());
  const UnixSocketFile none(-1);
  const OwnedFd abstract = bind_unix_socket("@squall-file-" + std::to_string(::getpid()));
  const UnixSocketFile nameless(abstract.get());
}

}  // namespace
}  // namespace squall::bind_unix_socket_test
