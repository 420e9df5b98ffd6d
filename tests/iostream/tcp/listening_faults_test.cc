// Each system call from the socket to handle_stream() fails with each relevant errno, and each allocation
// fails.

#include <squall/iostream.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/echo_server.h"
#include "support/faults.h"
#include "support/platform.h"
#include "support/temporary_folder.h"

namespace squall::listening_faults_test {
namespace {

using namespace std::chrono_literals;
using testing::EchoServer;
using testing::Live;
using testing::loopback;
using testing::RawPeer;
using testing::TemporaryFolder;
using testing::TestLoop;
using testing::faults::AllocationFault;
using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::kAlways;
using testing::faults::Names;
using testing::faults::open_descriptors;
using testing::faults::Short;
using testing::faults::Truce;

struct Row {
  Call call;
  std::initializer_list<int> errors;
};

std::string named(Call call, int error) {
  return std::string(testing::faults::name_of(call)) + " fails: " + std::strerror(error);
}

std::string text_thrown(const auto& function) {
  try {
    function();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

// The peer's calls do not fail.
std::string ask_in_truce(TestLoop& loop, RawPeer& peer, std::string_view line) {
  {
    const Truce truce;
    if (peer.send_some(line) < line.size()) return "";
  }
  std::string all;
  loop.run_until([&] {
    const Truce truce;
    return peer.drain(all) || all.ends_with('\n');
  });
  return all;
}

// ---- Listening.

TEST_CASE(
    "any system call that fails while a Unix socket is bound is thrown by name, and leaves no file and no "
    "descriptor",
    "[faults]") {
  const Row rows[] = {
      {Call::socket, {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
      {Call::bind, {EACCES, EADDRINUSE, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EROFS}},
      {Call::lstat, {EACCES, EIO, ELOOP, ENAMETOOLONG, ENOMEM, ENOTDIR}},
      {Call::chmod, {EACCES, EIO, ENOENT, ENOMEM, EPERM, EROFS}},
      {Call::listen, {EADDRINUSE, EINVAL, EOPNOTSUPP}},
  };
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  for (const Row& row : rows) {
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      const int open = open_descriptors();
      {
        const Injection fault(row.call, error);
        const std::string expected =
            row.call == Call::socket ? "socket: " : "cannot listen on unix:" + path + ": ";
        CHECK(text_thrown([&] { bind_unix_socket(path); }) == expected + std::strerror(error));
        CHECK(fault.hits() == 1);
      }
      CHECK(open_descriptors() == open);
      CHECK(::access(path.c_str(), F_OK) != 0);
    }
  }
}

TEST_CASE("an old Unix socket that cannot be removed is left, and the error is thrown by name", "[faults]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  const OwnedFd old = bind_unix_socket(path);
  for (const int error : {EACCES, EBUSY, EIO, EISDIR, EPERM, EROFS}) {
    INFO(named(Call::unlink, error));
    const int open = open_descriptors();
    const Injection fault(Call::unlink, error);
    CHECK(text_thrown([&] { bind_unix_socket(path); }) ==
          "cannot listen on unix:" + path + ": " + std::strerror(error));
    CHECK(open_descriptors() == open);
    CHECK(::access(path.c_str(), F_OK) == 0);
  }
  // Another process has removed it meanwhile.
  const Injection gone(Call::unlink, ENOENT);
  CHECK(text_thrown([&] { bind_unix_socket(path); }) != "");  // this one has not, so the name is in use
  CHECK(gone.hits() == 1);
}

TEST_CASE("a Unix socket has its mode although fchmod() fails", "[faults]") {
  const TemporaryFolder folder;
  UnixListenOptions options;
  options.mode = 0640;
  const Injection fault(Call::fchmod, EINVAL);
  const OwnedFd fd = bind_unix_socket(folder / "socket", options);
  CHECK(fault.hits() == 1);
  struct stat file{};
  REQUIRE(::stat((folder / "socket").c_str(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0640);
}

TEST_CASE("a server whose limit of descriptors is unknown accepts connections", "[faults]") {
  const Injection fault(Call::getrlimit, EINVAL);
  TestLoop loop;
  EchoServer server(loop);
  CHECK(fault.hits() == 1);
  server.listen(0, loopback());
  RawPeer peer(server.port());
  CHECK(ask_in_truce(loop, peer, "hello\n") == "hello\n");
}

TEST_CASE("a refused option of the socket is thrown by name", "[faults]") {
  ListenOptions options = loopback();
  options.reuse_port = true;
  if (testing::kHasListenOptions) {
    options.defer_accept = 1s;
    options.fast_open = 1;
  }
  for (const int error : {EINVAL, ENOPROTOOPT}) {
    std::string names;
    const int calls = in_turn([&](int after) {
      const Injection fault(Call::setsockopt, error, {.after = after});
      const std::string text = text_thrown([&] { bind_sockets(0, options); });
      names += text.substr(0, text.find(':')) + " ";
      return fault.hits() > 0;
    });
    CHECK(calls == (testing::kHasListenOptions ? 5 : 3));
    const std::string linux_names = testing::kHasListenOptions ? "TCP_DEFER_ACCEPT TCP_FASTOPEN " : "";
    CHECK(names == "SO_REUSEADDR SO_REUSEPORT TCP_NODELAY " + linux_names + " ");
  }
}

TEST_CASE("an address that is found twice is bound once (NET-06)", "[faults]") {
  const Names names({"127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.1"});
  ListenOptions options;
  options.address = "twice.example";
  const auto sockets = bind_sockets(0, options);
  REQUIRE(sockets.size() == 2);
  CHECK(Address::local_of(sockets[0].get()).ip() == "127.0.0.1");
  CHECK(Address::local_of(sockets[1].get()).ip() == "127.0.0.2");
  CHECK(Address::local_of(sockets[0].get()).port() == Address::local_of(sockets[1].get()).port());
}

TEST_CASE("IPv4 sockets come before IPv6 sockets, in any order of getaddrinfo() (NET-01)", "[faults]") {
  const Names names({"::1", "127.0.0.1"});
  ListenOptions options;
  options.address = "both.example";
  try {
    const auto sockets = bind_sockets(0, options);
    REQUIRE(sockets.size() == 2);
    CHECK(Address::local_of(sockets[0].get()).family() == AF_INET);
    CHECK(Address::local_of(sockets[1].get()).ip() == "::1");
  } catch (const std::system_error& error) {
    // A machine without IPv6.
    CHECK(error.code().value() == EADDRNOTAVAIL);
  }
}

TEST_CASE("for localhost, a missing address and a link-local address are skipped (NET-05, NET-06)",
          "[faults]") {
  const Names names({"127.0.0.1", "::1", "fe80::1"});
  ListenOptions options;
  options.address = "localhost";
  {
    // The second bind() is for ::1.
    const Injection fault(Call::bind, EADDRNOTAVAIL, {.after = 1});
    const auto sockets = bind_sockets(0, options);
    CHECK(sockets.size() == 1);
    CHECK(fault.calls() <= 2);
  }
  // For other names they are not skipped.
  options.address = "other.example";
  const Injection fault(Call::bind, EADDRNOTAVAIL, {.after = 1});
  CHECK(text_thrown([&] { bind_sockets(0, options); }).starts_with("cannot listen on [::1]:"));
}

TEST_CASE("a socket whose SO_ACCEPTCONN cannot be read is refused", "[faults]") {
  for (const int error : {EBADF, EINVAL, ENOBUFS, ENOPROTOOPT, ENOTSOCK}) {
    INFO(named(Call::getsockopt, error));
    TestLoop loop;
    EchoServer server(loop);
    std::vector<OwnedFd> sockets = bind_sockets(0, loopback());
    const int open = open_descriptors();
    const Injection fault(Call::getsockopt, error);
    CHECK(text_thrown([&] { server.add_sockets(std::move(sockets)); }) != "");
    CHECK(server.port() == 0);
    CHECK(open_descriptors() == open - 1);
  }
}

TEST_CASE("a server whose Unix socket the poller refuses leaves no file", "[faults][poller]") {
  const TemporaryFolder folder;
  const std::string path = folder / "socket";
  TestLoop loop;
  EchoServer server(loop);
  const int open = open_descriptors();
  const Injection fault(Call::poller_update, ENOSPC);
  CHECK(text_thrown([&] { server.listen_unix(path); }) != "");
  CHECK(::access(path.c_str(), F_OK) != 0);
  CHECK(open_descriptors() == open);
}

// ---- A full server.

TEST_CASE("a full server accepts again when a connection ends, even if the poller refuses at first",
          "[faults][poller]") {
  for (const int error : {ENOMEM, ENOSPC, EPERM}) {
    for (const int after : {0, 1}) {  // as the wait begins, or as it ends
      INFO(named(Call::poller_update, error) << ", after " << after);
      TestLoop loop;
      TCPServer::Options options;
      options.max_connections = 1;
      EchoServer server(options, loop);
      std::vector<OwnedFd> sockets = bind_sockets(0, loopback());
      const int fd = sockets[0].get();
      server.add_sockets(std::move(sockets));
      RawPeer first(server.port());
      RawPeer second(server.port());
      const Injection refusal(Call::poller_update, error, {.after = after, .times = 2, .fd = fd});
      CHECK(ask_in_truce(loop, first, "hello\n") == "hello\n");
      for (int turn = 0; turn < 5; ++turn) loop.run_turn();
      CHECK(server.connections() == 1);
      first.close();
      CHECK(ask_in_truce(loop, second, "hello\n") == "hello\n");
      // poll() needs no call to stop.
      if (loop.poller_name() != "poll" || after == 0) CHECK(refusal.hits() > 0);
      loop.log.expect_any("Cannot accept connections");
    }
  }
}

// ---- Behind a proxy.

const std::string kLine = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

TCPServer::Options behind_proxy() {
  TCPServer::Options options;
  options.proxy_protocol.trusted.emplace_back("127.0.0.1");
  options.max_connections_per_address = 10;
  return options;
}

TEST_CASE(
    "a header that cannot be read is logged, unless the proxy has gone, and the next connection is served",
    "[faults]") {
  for (const int error : {EBADF, ECONNABORTED, ECONNREFUSED, ECONNRESET, EFAULT, EINVAL, ENOMEM, ENOTCONN,
                          ENOTSOCK, EPIPE, ETIMEDOUT}) {
    INFO(named(Call::recv, error));
    const bool is_quiet =
        error == ECONNABORTED || error == ECONNRESET || error == EPIPE || error == ETIMEDOUT;
    for (const int after : {0, 1}) {  // when it is peeked at, or when it is removed
      TestLoop loop;
      EchoServer server(behind_proxy(), loop);
      server.listen(0, loopback());
      RawPeer peer(server.port());
      const std::string name = Address::local_of(peer.fd()).to_string();
      peer.send(kLine);
      {
        const Injection fault(Call::recv, error, {.after = after});
        CHECK(ask_in_truce(loop, peer, "hello\n") == "");
        CHECK(fault.hits() == 1);
      }
      if (!is_quiet)
        loop.log.expect("Connection from proxy " + name + " refused: the PROXY header cannot be read");
      RawPeer next(server.port());
      CHECK(ask_in_truce(loop, next, kLine + "who\n") == "192.0.2.1:56324\n");
    }
  }
}

TEST_CASE("reading a header continues after an interruption, EAGAIN and a short read", "[faults]") {
  for (const int error : {EAGAIN, EINTR}) {
    for (const int after : {0, 1}) {
      TestLoop loop;
      EchoServer server(behind_proxy(), loop);
      server.listen(0, loopback());
      RawPeer peer(server.port());
      const Injection fault(Call::recv, error, {.after = after, .times = 2});
      CHECK(ask_in_truce(loop, peer, kLine + "who\n") == "192.0.2.1:56324\n");
      CHECK(fault.hits() == 2);
    }
  }
  for (const std::size_t size : {1, 2, 7}) {
    TestLoop loop;
    EchoServer server(behind_proxy(), loop);
    server.listen(0, loopback());
    RawPeer peer(server.port());
    const Short at_most(Call::recv, size);
    CHECK(ask_in_truce(loop, peer, kLine + "who\n") == "192.0.2.1:56324\n");
  }
}

TEST_CASE("if the poller refuses to wait for a header, only that connection is closed", "[faults][poller]") {
  for (const int error : {ENOMEM, ENOSPC}) {
    TestLoop loop;
    EchoServer server(behind_proxy(), loop);
    server.listen(0, loopback());
    RawPeer peer(server.port());
    const std::string name = Address::local_of(peer.fd()).to_string();
    {
      const Injection fault(Call::poller_update, error);
      CHECK(ask_in_truce(loop, peer, "") == "");
      CHECK(fault.hits() == 1);
    }
    loop.log.expect("Cannot serve " + name + ": ");
    CHECK(server.connections() == 0);
    RawPeer next(server.port());
    CHECK(ask_in_truce(loop, next, kLine + "who\n") == "192.0.2.1:56324\n");
  }
}

TEST_CASE("after a failed allocation of a proxied connection the count of connections is right", "[faults]") {
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    TestLoop loop;
    EchoServer server(behind_proxy(), loop);
    server.listen(0, loopback());
    RawPeer peer(server.port());
    const std::string rest = kLine.substr(10) + "hello\n";
    peer.send(kLine.substr(0, 10));
    AllocationFault fault(after);
    for (int turn = 0; turn < 3; ++turn) loop.run_turn();
    peer.send_some(rest);
    for (int turn = 0; turn < 6; ++turn) loop.run_turn();
    const bool hit = fault.disarm() > 0;
    std::string all;
    const bool ended = peer.drain(all);
    CHECK((ended || all == "hello\n"));
    CHECK(server.connections() == (ended ? 0 : 1));
    peer.close();
    loop.run_until([&] { return server.connections() == 0; });
    RawPeer next(server.port());
    CHECK(ask_in_truce(loop, next, kLine + "who\n") == "192.0.2.1:56324\n");
    loop.log.expect_any("");
    return hit;
  });
  CHECK(failures > 3);
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::listening_faults_test
