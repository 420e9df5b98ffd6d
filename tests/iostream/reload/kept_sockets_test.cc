#include <squall/iostream/reload/kept_sockets.h>

#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/reload/adopt_sockets.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/bind_unix_socket.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
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
    CHECK(kept.count() == 1);
    sockets.clear();
    CHECK_FALSE(is_refused(port));
  }
  CHECK(is_refused(port));
  const KeptSockets none;
  CHECK(none.count() == 0);
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

}  // namespace
}  // namespace squall::kept_sockets_test
