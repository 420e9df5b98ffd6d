#include <squall/iostream/address/unix_address.h>

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include "support/catch.h"
#include "support/socket_pair.h"
#include "support/temporary_folder.h"

namespace squall::unix_address_test {
namespace {

using namespace std::string_literals;
using testing::TemporaryFolder;

// A socket bound to the name.
OwnedFd bound(const UnixAddress& address) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(fd.get(), address.data(), address.size()) == 0);
  return fd;
}

TEST_CASE("a path is bound byte for byte, and read back", "[unix_address]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a socket@x";
  const UnixAddress address(path);
  CHECK(address.name() == path);
  CHECK(address.to_string() == "unix:" + path);
  CHECK_FALSE(address.is_abstract());
  const OwnedFd fd = bound(address);
  CHECK(::access(path.c_str(), F_OK) == 0);
  CHECK(UnixAddress::local_of(fd.get()).name() == path);
}

TEST_CASE("a name that begins with NUL or @ is abstract (NET-11)", "[unix_address]") {
  const std::string name = "squall-" + std::to_string(::getpid());
  const UnixAddress spelled("@" + name);
  const UnixAddress raw("\0"s + name);
  for (const UnixAddress& address : {spelled, raw}) {
    CHECK(address.is_abstract());
    CHECK(address.name() == "\0"s + name);
    CHECK(address.to_string() == "unix:@" + name);
    const OwnedFd fd = bound(address);
    CHECK(UnixAddress::local_of(fd.get()).name() == "\0"s + name);
    CHECK(::access(name.c_str(), F_OK) != 0);
  }
  const OwnedFd with_nul = bound(UnixAddress("@a\0b"s + name));
  CHECK(UnixAddress::local_of(with_nul.get()).name() == "\0a\0b"s + name);
}

TEST_CASE("a name of every length that fits can be bound, and a longer one is refused", "[unix_address]") {
  constexpr std::size_t kMax = sizeof(sockaddr_un::sun_path) - 1;
  const TemporaryFolder folder;
  const std::string stem = folder / "";
  const UnixAddress path(stem + std::string(kMax - stem.size(), 'x'));
  CHECK(UnixAddress::local_of(bound(path).get()).name() == path.name());
  const UnixAddress abstract("@" + std::to_string(::getpid()) +
                             std::string(kMax - std::to_string(::getpid()).size(), 'x'));
  CHECK(abstract.name().size() == kMax + 1);
  CHECK(UnixAddress::local_of(bound(abstract).get()).name() == abstract.name());
  for (const std::string& name : {std::string(kMax + 1, 'x'), "@"s + std::string(kMax + 1, 'x')}) {
    try {
      const UnixAddress address(name);
      FAIL("taken");
    } catch (const std::system_error& error) {
      CHECK(error.code().value() == ENAMETOOLONG);
      CHECK(std::string(error.what()).find("at most 107 bytes: " + name) != std::string::npos);
    }
  }
}

TEST_CASE("an empty name, and a path with a NUL in it, are refused", "[unix_address]") {
  CHECK_THROWS_AS(UnixAddress(""), std::invalid_argument);
  CHECK_THROWS_AS(UnixAddress("/tmp/a\0b"s), std::invalid_argument);
  CHECK_THROWS_AS(UnixAddress("/tmp/a\0"s), std::invalid_argument);
}

TEST_CASE("an unbound Unix socket is unnamed", "[unix_address]") {
  const testing::SocketPair pair;
  const OwnedFd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (const UnixAddress& address :
       {UnixAddress(), UnixAddress::local_of(pair.near.get()), UnixAddress::peer_of(pair.near.get()),
        UnixAddress::local_of(tcp.get()), UnixAddress::local_of(-1)}) {
    CHECK(address.is_unnamed());
    CHECK_FALSE(address.is_abstract());
    CHECK(address.to_string() == "unix");
  }
}

}  // namespace
}  // namespace squall::unix_address_test
