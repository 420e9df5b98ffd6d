#include <squall/iostream/reload/kept_sockets.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/reload/adopt_sockets.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/socket/listen_fds.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::kept_sockets_test {
namespace {

using detail::KeptSockets;
using testing::TemporaryFolder;

ListenOptions on_loopback() {
  ListenOptions options;
  options.address = "127.0.0.1";
  return options;
}

std::uint16_t port_of(const OwnedFd& socket) { return Address::local_of(socket.get()).port(); }

ino_t inode_of(const OwnedFd& socket) {
  struct stat file{};
  REQUIRE(::fstat(socket.get(), &file) == 0);
  return file.st_ino;
}

bool is_refused(std::uint16_t port) {
  const OwnedFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address address = Address::parse_ip("127.0.0.1", port).value();
  return ::connect(client.get(), address.data(), address.size()) != 0;
}

std::vector<InheritedFd> offer_of(OwnedFd socket) {
  std::vector<InheritedFd> offer;
  offer.push_back({std::move(socket), "unknown"});
  return offer;
}

TEST_CASE("bind_sockets() takes the adopted sockets of its port, whatever address it names",
          "[kept_sockets]") {
  OwnedFd made = std::move(bind_sockets(0, on_loopback()).front());
  const std::uint16_t port = port_of(made);
  const ino_t inode = inode_of(made);
  adopt_sockets(offer_of(std::move(made)));
  {
    const std::vector<OwnedFd> other = bind_sockets(0, on_loopback());
    CHECK(port_of(other.front()) != port);
  }
  const std::vector<OwnedFd> taken = bind_sockets(port);
  REQUIRE(taken.size() == 1);
  CHECK(inode_of(taken.front()) == inode);
}

TEST_CASE("with reuse_port each call takes a copy of the adopted sockets", "[kept_sockets]") {
  OwnedFd made = std::move(bind_sockets(0, on_loopback()).front());
  const std::uint16_t port = port_of(made);
  const ino_t inode = inode_of(made);
  adopt_sockets(offer_of(std::move(made)));
  ListenOptions options = on_loopback();
  options.reuse_port = true;
  const std::vector<OwnedFd> first = bind_sockets(port, options);
  const std::vector<OwnedFd> second = bind_sockets(port, options);
  CHECK(inode_of(first.front()) == inode);
  CHECK(inode_of(second.front()) == inode);
  // Takes the adopted socket itself, for the tests that follow.
  static_cast<void>(bind_sockets(port));
}

TEST_CASE("bind_unix_socket() takes the adopted socket of its path", "[kept_sockets]") {
  const TemporaryFolder folder;
  OwnedFd made = bind_unix_socket(folder / "socket");
  const ino_t inode = inode_of(made);
  adopt_sockets(offer_of(std::move(made)));
  CHECK(inode_of(bind_unix_socket(folder / "other")) != inode);
  CHECK(inode_of(bind_unix_socket(folder / "socket")) == inode);
}

TEST_CASE("kept sockets accept while their server has closed them", "[kept_sockets]") {
  std::vector<OwnedFd> sockets = bind_sockets(0, on_loopback());
  const std::uint16_t port = port_of(sockets.front());
  {
    const KeptSockets kept;
    sockets.clear();
    CHECK_FALSE(is_refused(port));
  }
  CHECK(is_refused(port));
}

TEST_CASE("the file of a Unix socket stays while sockets are kept", "[kept_sockets]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  struct stat file{};
  for (const bool is_kept : {true, false}) {
    OwnedFd socket = bind_unix_socket(path);
    {
      UnixSocketFile owner(socket.get());
      if (is_kept) {
        const KeptSockets kept;
        const UnixSocketFile removed_now = std::move(owner);
      }
    }
    CHECK((::stat(path.c_str(), &file) == 0) == is_kept);
  }
}

// In a child: sockets at 3 and 5 of LISTEN_FDS, the socket of 4 is closed, and 3 is another file by now. An
// execve() fails. The number of the first check that fails.
int fail_to_execute(const std::string& program, int flags_of_other) {
  std::vector<OwnedFd> high;
  for (int i = 0; i < 3; ++i) {
    const OwnedFd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::listen(made.get(), 1);
    high.emplace_back(::fcntl(made.get(), F_DUPFD_CLOEXEC, 100));
  }
  for (int i = 0; i < 3; ++i) ::dup2(high[i].get(), 3 + i);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "3", 1);
  ::setenv("LISTEN_FDNAMES", "a:b:c", 1);
  std::vector<InheritedFd> inherited = listen_fds();
  inherited[1].fd.reset();
  const OwnedFd own = std::move(bind_sockets(0, on_loopback()).front());  // takes number 4
  if (own.get() != 4) return 1;
  KeptSockets kept;
  const ino_t first = inode_of(inherited[0].fd);
  const ino_t owned = inode_of(own);
  inherited[0].fd.reset();
  const OwnedFd other(::open("/dev/null", O_RDONLY | flags_of_other));
  if (other.get() != 3) return 2;
  std::vector<std::string> environment{"LISTEN_FDS=3"};
  kept.hand_over(environment);
  const auto has = [&](const char* variable) {
    return std::find(environment.begin(), environment.end(), variable) != environment.end();
  };
  struct stat file{};
  if (flags_of_other == 0) {
    if (has("LISTEN_FDS=3") || ::fstat(3, &file) != 0 || S_ISSOCK(file.st_mode)) return 3;
  } else {
    if (!has("LISTEN_FDS=3") || !has("LISTEN_FDNAMES=a:closed:c")) return 4;
    if (::fstat(3, &file) != 0 || file.st_ino != first) return 5;
    if (::fstat(4, &file) != 0 || S_ISSOCK(file.st_mode)) return 6;
    for (const int number : {3, 4, 5})
      if (::fcntl(number, F_GETFD) != 0) return 7;
  }
  char* const none[] = {nullptr};
  if (::execve(program.c_str(), none, none) == 0 || errno != ENOEXEC) return 8;
  kept.take_back();
  if (::fstat(3, &file) != 0 || S_ISSOCK(file.st_mode)) return 9;
  if (::fcntl(3, F_GETFD) != (flags_of_other == 0 ? 0 : FD_CLOEXEC)) return 10;
  if (::fstat(4, &file) != 0 || file.st_ino != owned) return 11;
  for (int number = 4; number < 200; ++number) {
    const int flags = ::fcntl(number, F_GETFD);
    if (flags == 0 && ::fstat(number, &file) == 0 && S_ISSOCK(file.st_mode)) return number;
  }
  return 0;
}

TEST_CASE("after a failed execve() the descriptors are as before, and none is inherited by child processes",
          "[kept_sockets]") {
  const TemporaryFolder folder;
  const std::string program = folder.file("program", "no program");
  REQUIRE(::chmod(program.c_str(), 0700) == 0);
  for (const int flags : {O_CLOEXEC, 0}) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      log::general().set_level(log::Level::none);  // the warning
      ::_exit(fail_to_execute(program, flags));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

}  // namespace
}  // namespace squall::kept_sockets_test
