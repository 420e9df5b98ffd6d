#include <squall/iostream/tcp/tcp_server.h>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/echo_server.h"
#include "support/socket_pair.h"
#include "support/temporary_folder.h"

namespace squall::tcp_server_listen_test {
namespace {

using testing::ask;
using testing::connect_unix;
using testing::EchoServer;
using testing::loopback;
using testing::RawPeer;
using testing::SocketPair;
using testing::TemporaryFolder;
using testing::TestLoop;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

TEST_CASE("a server listens on Unix sockets, beside its ports", "[tcp_server]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  const std::string abstract = "@squall-server-" + std::to_string(::getpid());
  TestLoop loop;
  EchoServer server(loop);
  server.listen_unix(path);
  server.listen_unix(abstract);
  CHECK(server.port() == 0);
  server.listen(0, loopback());
  CHECK(server.port() != 0);
  RawPeer a = connect_unix(path);
  RawPeer b = connect_unix(abstract);
  RawPeer c(server.port());
  CHECK(ask(loop, a, "who\n") == "unix\n");
  CHECK(ask(loop, b, "who\n") == "unix\n");
  CHECK(ask(loop, c, "who\n") == Address::local_of(c.fd()).to_string() + "\n");
}

TEST_CASE("a Unix socket's file goes when its server stops", "[tcp_server]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  TestLoop loop;
  EchoServer server(loop);
  UnixListenOptions options;
  options.mode = 0640;
  server.listen_unix(path, options);
  struct stat file{};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0640);
  server.stop();
  CHECK_FALSE(exists(path));
  server.listen_unix(path);
  CHECK(exists(path));
}

TEST_CASE("a server that has been taken over leaves the successor's file alone", "[tcp_server]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  TestLoop loop;
  EchoServer first(loop);
  first.listen_unix(path);
  RawPeer old = connect_unix(path);
  CHECK(ask(loop, old, "hello\n") == "hello\n");
  EchoServer second(loop);
  second.listen_unix(path);
  first.stop();
  CHECK(exists(path));
  RawPeer young = connect_unix(path);
  CHECK(ask(loop, young, "hello\n") == "hello\n");
  CHECK(ask(loop, old, "still there\n") == "still there\n");
  CHECK(first.connections() == 1);
  CHECK(second.connections() == 1);
}

TEST_CASE("an added socket becomes non-blocking, and its connections have TCP_NODELAY (TSV-03)",
          "[tcp_server]") {
  TestLoop loop;
  EchoServer server(loop);
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = Address::parse_ip("127.0.0.1").value();
  REQUIRE(::bind(fd.get(), any.data(), any.size()) == 0);
  REQUIRE(::listen(fd.get(), 5) == 0);
  const int adopted = fd.get();
  server.add_socket(std::move(fd));
  CHECK((::fcntl(adopted, F_GETFL) & O_NONBLOCK) != 0);
  int nodelay = 0;
  socklen_t size = sizeof nodelay;
  REQUIRE(::getsockopt(adopted, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size) == 0);
  CHECK(nodelay != 0);
  RawPeer peer(server.port());
  CHECK(ask(loop, peer, "hello\n") == "hello\n");
}

TEST_CASE("a descriptor that does not listen is refused, and all others of the call with it",
          "[tcp_server]") {
  TestLoop loop;
  EchoServer server(loop);
  const auto refusal = [&](OwnedFd fd) {
    std::vector<OwnedFd> sockets = bind_sockets(0, loopback());
    sockets.push_back(std::move(fd));
    try {
      server.add_sockets(std::move(sockets));
    } catch (const std::exception& error) {
      CHECK(server.port() == 0);
      return std::string(error.what());
    }
    return std::string();
  };
  OwnedFd unbound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string number = std::to_string(unbound.get());
  CHECK(refusal(std::move(unbound)) == "descriptor " + number + " is not a listening socket");
  CHECK(refusal(std::move(SocketPair().near)).ends_with(" is not a listening socket"));
  CHECK(refusal(OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))).ends_with(" is not a socket"));
  CHECK(refusal(OwnedFd()) == "cannot accept on descriptor -1: Bad file descriptor");
}

}  // namespace
}  // namespace squall::tcp_server_listen_test
