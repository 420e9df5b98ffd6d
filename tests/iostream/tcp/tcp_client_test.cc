#include <squall/iostream/tcp/tcp_client.h>

#include <squall/iostream/socket/connect_socket.h>
#include <squall/testing/virtual_clock.h>

#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "support/fake_resolver.h"
#include "support/listeners.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::tcp_client_test {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::count_descriptors;
using testing::DeadEnd;
using testing::DeafListener;
using testing::FakeResolver;
using testing::has_ipv6;
using testing::Listener;
using testing::Live;
using testing::message_thrown;
using testing::RawPeer;
using testing::TestLoop;
using testing::throws;
using testing::VirtualClock;

ConnectOptions by(Resolver& resolver) {
  ConnectOptions options;
  options.resolver = &resolver;
  return options;
}

std::string text(int error) { return std::generic_category().message(error); }

// The Error of a connection attempt; nullopt for success or another exception.
template <class Error>
std::optional<Error> thrown(TestLoop& loop, Task<IOStream> connecting) {
  try {
    loop.run(std::move(connecting));
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

Task<std::string> hello(std::string host, std::uint16_t port, ConnectOptions options) {
  IOStream stream = co_await TCPClient::connect(host, port, options);
  co_await stream.write("hello\n");
  std::string line = co_await stream.read_until("\n");
  co_return line;
}

Task<> answer(TestLoop& loop, const Listener& listener, std::string& heard) {
  co_await wait_readable(listener.fd());
  IOStream stream(listener.accept().fd, loop);
  heard = co_await stream.read_until("\n");
  co_await stream.write("hello yourself\n");
}

TEST_CASE("a client connects by name and exchanges bytes (NET-21)", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  FakeResolver resolver;
  resolver.answers["server.test"].addresses = {listener.address()};
  std::string heard;
  loop.spawn(answer(loop, listener, heard));
  CHECK(loop.run(hello("server.test", listener.port(), by(resolver))) == "hello yourself\n");
  CHECK(heard == "hello\n");
  CHECK(resolver.asked == std::vector<std::string>{"server.test:" + std::to_string(listener.port()) + "/" +
                                                   std::to_string(AF_UNSPEC)});
}

TEST_CASE("a client connects to numeric addresses of both families, and to localhost", "[tcp_client]") {
  TestLoop loop;
  const Listener v4;
  CHECK(loop.run(TCPClient::connect("127.0.0.1", v4.port())).fd() >= 0);
  CHECK(loop.run(TCPClient::connect(v4.address())).fd() >= 0);
  CHECK(loop.run(TCPClient::connect("localhost", v4.port())).fd() >= 0);
  if (!has_ipv6()) return;
  const Listener v6("::1");
  const IOStream stream = loop.run(TCPClient::connect("::1", v6.port()));
  CHECK(Address::peer_of(stream.fd()).to_string() == v6.address().to_string());
  CHECK(loop.run(TCPClient::connect(v6.address())).fd() >= 0);
}

TEST_CASE("an address of either family that does not answer is skipped (RFC 8305, 4)", "[tcp_client]") {
  if (!has_ipv6()) return;
  TestLoop loop;
  const Listener v4;
  const DeadEnd v6("::1");
  FakeResolver resolver;
  resolver.answers["server.test"].addresses = {v6.address(), v6.address(), v4.address()};
  const IOStream stream = loop.run(TCPClient::connect("server.test", v4.port(), by(resolver)));
  CHECK(Address::peer_of(stream.fd()).to_string() == v4.address().to_string());
  // The family is passed to the resolver.
  ConnectOptions options = by(resolver);
  options.family = AF_INET6;
  resolver.answers.clear();
  CHECK(loop.run(throws<ResolveError>(TCPClient::connect("server.test", v4.port(), options))));
  CHECK(resolver.asked.back().ends_with("/" + std::to_string(AF_INET6)));
}

TEST_CASE("the stream has the limits of the options, and sends small writes at once", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  ConnectOptions options;
  options.stream.max_write_buffer_size = 10;
  IOStream stream = loop.run(TCPClient::connect("127.0.0.1", listener.port(), options));
  CHECK_THROWS_AS(stream.write(std::string(11, 'x')), StreamBufferFullError);
  const auto nodelay = [](const IOStream& of) {
    int on = -1;
    socklen_t size = sizeof on;
    REQUIRE(::getsockopt(of.fd(), IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
    return on;
  };
  CHECK(nodelay(stream) != 0);
  options.nodelay = false;
  CHECK(nodelay(loop.run(TCPClient::connect(listener.address(), options))) == 0);
}

// ---- Errors.

TEST_CASE("without a listener the error names the host and the reason (IOS-61)", "[tcp_client]") {
  TestLoop loop;
  const DeadEnd dead;
  const std::string where = "127.0.0.1:" + std::to_string(dead.port());
  for (const bool by_name : {false, true}) {
    const auto error = thrown<ConnectError>(
        loop, by_name ? TCPClient::connect("127.0.0.1", dead.port()) : TCPClient::connect(dead.address()));
    REQUIRE(error);
    CHECK(error->code() == std::errc::connection_refused);
    CHECK(error->host() == "127.0.0.1");
    CHECK(error->port() == dead.port());
    CHECK(error->what() == "Cannot connect to " + where + ": " + text(ECONNREFUSED));
  }
}

TEST_CASE("when no address answers, the error has each outcome, and the code of the last failure (TCL-13)",
          "[tcp_client]") {
  TestLoop loop;
  const DeadEnd dead;
  const std::string port = std::to_string(dead.port());
  FakeResolver resolver;
  const int before = count_descriptors();
  resolver.answers["server.test"].addresses = {dead.address(), address("255.255.255.255", dead.port())};
  const auto error = thrown<ConnectError>(loop, TCPClient::connect("server.test", dead.port(), by(resolver)));
  REQUIRE(error);
  REQUIRE(error->attempts().size() == 2);
  CHECK(error->attempts()[0].error == std::errc::connection_refused);
  CHECK(error->code() == error->attempts()[1].error);
  CHECK(error->what() == "Cannot connect to server.test:" + port + ": 127.0.0.1:" + port + ": " +
                             text(ECONNREFUSED) + "; 255.255.255.255:" + port + ": " +
                             error->code().message());
  CHECK(count_descriptors() == before);
}

TEST_CASE("a name without an address is a ResolveError", "[tcp_client]") {
  TestLoop loop;
  FakeResolver resolver;
  const auto error = thrown<ResolveError>(loop, TCPClient::connect("nowhere.test", 80, by(resolver)));
  REQUIRE(error);
  CHECK(error->what() == std::string("cannot look up nowhere.test: ") + ::gai_strerror(EAI_NONAME));
}

TEST_CASE("an error's text names every kind of destination", "[tcp_client]") {
  const auto refused = std::make_error_code(std::errc::connection_refused);
  const std::string why = text(ECONNREFUSED);
  CHECK(ConnectError("::1", 80, refused, {{address("::1", 80), refused}}).what() ==
        "Cannot connect to [::1]:80: " + why);
  CHECK(ConnectError("localhost", 80, refused,
                     {{address("127.0.0.1", 80), refused}, {address("::1", 80), refused}})
            .what() == "Cannot connect to localhost:80: 127.0.0.1:80: " + why + "; [::1]:80: " + why);
  CHECK(ConnectError("/run/x.sock", std::nullopt, refused).what() == "Cannot connect to /run/x.sock: " + why);
  CHECK(ConnectError(std::string("\0x", 2), std::nullopt, refused).what() == "Cannot connect to @x: " + why);
  CHECK(ConnectTimeoutError("h", 1, ConnectPhase::connection,
                            {{address("127.0.0.1", 1), refused}, {address("::1", 1), {}}})
            .what() == "Timeout connecting to h:1: 127.0.0.1:1: " + why + "; [::1]:1: no answer");
  CHECK(std::string(ConnectTimeoutError("h", 1, ConnectPhase::handshake).what()) ==
        "Timeout connecting to h:1: the TLS handshake did not end");
}

// ---- Time.

TEST_CASE("one deadline covers the lookup and the connection, and the error names the phase (TCL-01, TCL-14)",
          "[tcp_client]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  const DeafListener deaf;
  FakeResolver resolver;
  resolver.answers["deaf.test"].addresses = {deaf.address()};
  resolver.open.clear();
  ConnectOptions options = by(resolver);
  options.timeout = 3s;
  const std::string port = std::to_string(deaf.port());
  const int before = count_descriptors();

  const auto start = clock.now();
  auto error = thrown<ConnectTimeoutError>(loop, TCPClient::connect("deaf.test", deaf.port(), options));
  REQUIRE(error);
  CHECK(error->phase() == ConnectPhase::resolution);
  CHECK(error->what() == "Timeout connecting to deaf.test:" + port + ": the name was not resolved");
  CHECK(clock.now() - start == 3s);
  CHECK(Live::count == 0);

  // The lookup uses up 2 of the 3 seconds.
  loop.call_later(2s, [&] { resolver.open.set(); });
  error = thrown<ConnectTimeoutError>(loop, TCPClient::connect("deaf.test", deaf.port(), options));
  REQUIRE(error);
  CHECK(error->phase() == ConnectPhase::connection);
  CHECK(error->host() == "deaf.test");
  CHECK(error->port() == deaf.port());
  CHECK(error->attempts().size() == 1);
  CHECK(error->what() == "Timeout connecting to deaf.test:" + port + ": 127.0.0.1:" + port + ": no answer");
  CHECK(clock.now() - start == 6s);
  CHECK(count_descriptors() == before);
}

TEST_CASE("the timeout of a connection counts from its beginning, also after the turn was blocked",
          "[tcp_client]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  TestLoop loop({.time_source = &clock});
  const Listener server;
  auto connect_late = [](VirtualClock& clock, std::uint16_t port, TimeSpan timeout) -> Task<bool> {
    clock.advance(10s);  // as work that holds the loop does
    ConnectOptions options;
    options.timeout = timeout;
    const IOStream stream = co_await TCPClient::connect("127.0.0.1", port, options);
    co_return !stream.closed();
  };
  CHECK(loop.run(connect_late(clock, server.port(), 1s)));
  CHECK(loop.run(connect_late(clock, server.port(), std::chrono::hours::max())));
  CHECK(loop.run(throws<ConnectTimeoutError>(connect_late(clock, server.port(), std::chrono::hours::min()))));
}

TEST_CASE("a timeout is a TimeoutError, after 20 s by default; a deadline is absolute", "[tcp_client]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  const DeafListener deaf;
  auto start = clock.now();
  CHECK(loop.run(throws<TimeoutError>(TCPClient::connect(deaf.address()))));
  CHECK(clock.now() - start == 20s);

  ConnectOptions options;
  options.deadline = start + 21s;
  start = clock.now();
  CHECK(loop.run(throws<TimeoutError>(TCPClient::connect("127.0.0.1", deaf.port(), options))));
  CHECK(clock.now() - start == 1s);
  options.deadline = start;
  CHECK(loop.run(throws<TimeoutError>(TCPClient::connect("127.0.0.1", deaf.port(), options))));
}

TEST_CASE("without a timeout a connection attempt lasts as long as the system's", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  ConnectOptions options;
  options.timeout.reset();
  CHECK(loop.run(TCPClient::connect("127.0.0.1", listener.port(), options)).fd() >= 0);
}

TEST_CASE("an attempt has at least 10 ms before the next begins (RFC 8305, 5)", "[tcp_client]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  TestLoop loop({.time_source = &clock});
  const DeafListener deaf;
  FakeResolver resolver;
  resolver.answers["deaf.test"].addresses = {deaf.address(), deaf.address()};
  ConnectOptions options = by(resolver);
  options.attempt_delay = 0ms;
  const int before = count_descriptors();
  TaskGroup group(loop);
  const auto connecting = [](ConnectOptions how, std::uint16_t port) -> Task<> {
    const IOStream stream = co_await TCPClient::connect("deaf.test", port, how);
  };
  group.add(connecting(options, deaf.port()));
  clock.advance(9ms);
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(count_descriptors() == before + 1);
  clock.advance(1ms);
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(count_descriptors() == before + 2);
}

// ---- Cancellation.

Task<> connect_and_keep(std::string host, std::uint16_t port, ConnectOptions options, bool& done, Live = {}) {
  const IOStream stream = co_await TCPClient::connect(host, port, options);
  done = true;
}
Task<> connect_unix_and_keep(std::string path, bool& done, Live = {}) {
  const IOStream stream = co_await TCPClient::connect_unix(path);
  done = true;
}

TEST_CASE("a client that is dropped while it looks up, or connects, leaves no descriptor and no timer",
          "[tcp_client]") {
  TestLoop loop;
  const DeafListener deaf;
  FakeResolver resolver;
  resolver.answers["deaf.test"].addresses = {deaf.address(), deaf.address()};
  const int before = count_descriptors();
  for (const bool looks_up : {true, false}) {
    CAPTURE(looks_up);
    bool done = false;
    TaskGroup group(loop);
    if (looks_up) resolver.open.clear();
    group.add(connect_and_keep("deaf.test", deaf.port(), by(resolver), done));
    for (int i = 0; i < 5; ++i) loop.run_turn();
    CHECK(count_descriptors() == before + (looks_up ? 0 : 1));
    CHECK(Live::count == (looks_up ? 2 : 1));
    group.destroy();
    CHECK(Live::count == 0);
    CHECK(count_descriptors() == before);
    resolver.open.set();
    CHECK_FALSE(done);
  }
  CHECK_FALSE(loop.next_timeout());
}

TEST_CASE("a connect() task makes no socket before it is awaited", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  const int before = count_descriptors();
  {
    const Task<IOStream> never = TCPClient::connect("127.0.0.1", listener.port());
    CHECK(count_descriptors() == before);
  }
  CHECK(listener.accept().error == EAGAIN);
}

// ---- The local end.

TEST_CASE("source_ip and source_port are the connection's own end (TCL-03)", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  ConnectOptions options;
  options.source_ip = "127.0.0.2";
  {
    const IOStream stream = loop.run(TCPClient::connect("127.0.0.1", listener.port(), options));
    CHECK(listener.accept().peer.ip() == "127.0.0.2");
  }
  const DeadEnd own("0.0.0.0");
  options.source_port = own.port();
  {
    const IOStream stream = loop.run(TCPClient::connect("127.0.0.1", listener.port(), options));
    CHECK(listener.accept().peer.to_string() == "127.0.0.2:" + std::to_string(own.port()));
  }
  options.source_ip.reset();
  {
    const IOStream stream = loop.run(TCPClient::connect("127.0.0.1", listener.port(), options));
    CHECK(listener.accept().peer.port() == own.port());
  }
  if (!has_ipv6()) return;
  const Listener v6("::1");
  const DeadEnd own_v6("::");
  options.source_port = own_v6.port();
  const IOStream stream = loop.run(TCPClient::connect("::1", v6.port(), options));
  CHECK(v6.accept().peer.to_string() == "[::1]:" + std::to_string(*options.source_port));
}

// The interface to which the socket is bound.
std::string device_of(int fd) {
  char name[IF_NAMESIZE] = {};
  socklen_t size = sizeof name;
  REQUIRE(::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size) == 0);
  return name;
}

TEST_CASE("source_interface is the network interface of the connection (HCL-23)", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  ConnectOptions options;
  options.source_interface = testing::loopback_interface();
  const IOStream stream = loop.run(TCPClient::connect(listener.address(), options));
  // A system that refuses to bind a socket to an interface gets an address of the interface instead.
  if (!device_of(stream.fd()).empty()) CHECK(device_of(stream.fd()) == *options.source_interface);
  CHECK(listener.accept().peer.ip() == "127.0.0.1");
  options.source_interface = "nowhere0";
  const auto error = thrown<ConnectError>(loop, TCPClient::connect(listener.address(), options));
  REQUIRE(error);
  CHECK(error->code() == std::errc::no_such_device);
}

TEST_CASE("connections to several peers may have one source port", "[tcp_client]") {
  TestLoop loop;
  const Listener a;
  const Listener b;
  ConnectOptions options;
  const DeadEnd own("0.0.0.0");
  options.source_port = own.port();
  const IOStream first = loop.run(TCPClient::connect(a.address(), options));
  const IOStream second = loop.run(TCPClient::connect(b.address(), options));
  CHECK(Address::local_of(first.fd()).port() == Address::local_of(second.fd()).port());
}

TEST_CASE("a source address in use, or of another host, is an error (TCL-03)", "[tcp_client]") {
  TestLoop loop;
  const Listener listener;
  ConnectOptions options;
  options.source_port = listener.port();
  options.source_ip = "127.0.0.1";
  const Listener other;
  auto error = thrown<ConnectError>(loop, TCPClient::connect(other.address(), options));
  REQUIRE(error);
  CHECK(error->code() == std::errc::address_in_use);
  options.source_port.reset();
  options.source_ip = "192.0.2.1";
  error = thrown<ConnectError>(loop, TCPClient::connect(other.address(), options));
  REQUIRE(error);
  CHECK(error->code() == std::errc::address_not_available);
}

TEST_CASE("addresses of another family than source_ip are not tried", "[tcp_client]") {
  TestLoop loop;
  FakeResolver resolver;
  ConnectOptions options = by(resolver);
  options.source_ip = "127.0.0.1";
  CHECK(loop.run(throws<ResolveError>(TCPClient::connect("server.test", 80, options))));
  CHECK(resolver.asked.back().ends_with("/" + std::to_string(AF_INET)));
}

TEST_CASE("contradictory options throw invalid_argument", "[tcp_client]") {
  TestLoop loop;
  ConnectOptions options;
  options.source_ip = "localhost";
  CHECK(loop.run(message_thrown<std::invalid_argument>(TCPClient::connect("127.0.0.1", 80, options))) ==
        "source_ip is not a numeric address: \"localhost\"");
  options.source_ip = "::1";
  options.family = AF_INET;
  CHECK(loop.run(message_thrown<std::invalid_argument>(TCPClient::connect("127.0.0.1", 80, options))) ==
        "source_ip is of another family: [::1]:0");
  CHECK(loop.run(throws<ConnectError>(TCPClient::connect(Address()))));
}

TEST_CASE("a socket that is connected to itself is ECONNREFUSED", "[tcp_client]") {
  TestLoop loop;
  for (const std::string ip : {"127.0.0.1", "::1"}) {
    if (ip == "::1" && !has_ipv6()) continue;
    ConnectOptions options;
    options.source_ip = ip;
    const DeadEnd own(ip);
    options.source_port = own.port();
    const auto error = thrown<ConnectError>(loop, TCPClient::connect(ip, *options.source_port, options));
    REQUIRE(error);
    CHECK(error->code() == std::errc::connection_refused);
  }
}

// ---- Unix sockets.

// Listens at a path, or at a name of the abstract namespace.
class UnixListener {
 public:
  explicit UnixListener(std::string name, int backlog = 16) : name_(std::move(name)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name_.size() < sizeof address.sun_path);
    name_.copy(address.sun_path, name_.size());
    const auto size = offsetof(sockaddr_un, sun_path) + name_.size() + (name_[0] == '\0' ? 0 : 1);
    fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) ==
            0);
    REQUIRE(::listen(fd_.get(), backlog) == 0);
  }
  ~UnixListener() {
    if (name_[0] != '\0') ::unlink(name_.c_str());
  }
  Accepted accept() const { return accept_from(fd_.get()); }

 private:
  std::string name_;
  OwnedFd fd_;
};

// A unique name of a file, or in the abstract namespace.
std::string unused_path() {
  char folder[] = "/tmp/squall_XXXXXX";
  const int fd = ::mkstemp(folder);
  REQUIRE(fd >= 0);
  ::close(fd);
  ::unlink(folder);
  return folder;
}
std::string unused_name() { return '\0' + unused_path(); }

Task<> say_hello(std::string path) {
  IOStream stream = co_await TCPClient::connect_unix(path);
  co_await stream.write("hello");
}

TEST_CASE("a client connects to Unix sockets, at a path and in the abstract namespace", "[tcp_client]") {
  TestLoop loop;
  for (const std::string& name :
       {unused_path(), unused_name(), unused_name() + std::string("\0with NUL", 9)}) {
    const UnixListener listener(name);
    loop.run(say_hello(name));
    Accepted accepted = listener.accept();
    REQUIRE(accepted.fd);
    CHECK(RawPeer(std::move(accepted.fd)).received() == "hello");
  }
}

TEST_CASE("a Unix socket that does not exist, or has an impossible name, is a ConnectError", "[tcp_client]") {
  TestLoop loop;
  const std::string path = unused_path();
  const int before = count_descriptors();
  auto error = thrown<ConnectError>(loop, TCPClient::connect_unix(path));
  REQUIRE(error);
  CHECK(error->code() == std::errc::no_such_file_or_directory);
  CHECK(error->what() == "Cannot connect to " + path + ": " + text(ENOENT));
  const std::string name = unused_name();
  error = thrown<ConnectError>(loop, TCPClient::connect_unix(name));
  REQUIRE(error);
  CHECK(error->code() == std::errc::connection_refused);
  CHECK(error->what() == "Cannot connect to @" + name.substr(1) + ": " + text(ECONNREFUSED));
  const std::size_t room = sizeof(sockaddr_un::sun_path);
  CHECK(thrown<ConnectError>(loop, TCPClient::connect_unix(std::string(room, 'x')))->code().value() ==
        ENAMETOOLONG);
  CHECK(thrown<ConnectError>(loop, TCPClient::connect_unix(std::string(room - 1, 'x')))->code().value() ==
        ENOENT);
  CHECK(thrown<ConnectError>(loop, TCPClient::connect_unix('\0' + std::string(room, 'x')))->code().value() ==
        ENAMETOOLONG);
  for (const std::string& bad : {std::string(), std::string("a\0b", 3)})
    CHECK(loop.run(throws<std::invalid_argument>(TCPClient::connect_unix(bad))));
  CHECK(count_descriptors() == before);
}

TEST_CASE(
    "while a Unix listener's queue is full a client waits, until there is room, or time is up, or it is "
    "dropped",
    "[tcp_client]") {
  TestLoop loop;
  const std::string name = unused_name();
  const UnixListener listener(name, 0);
  const int before = count_descriptors();
  const IOStream first = loop.run(TCPClient::connect_unix(name));
  bool done = false;
  {
    TaskGroup group(loop);
    group.add(connect_unix_and_keep(name, done));
    for (int i = 0; i < 5; ++i) loop.run_turn();
    CHECK(Live::count == 1);
    CHECK_FALSE(done);
  }
  CHECK(Live::count == 0);
  CHECK(count_descriptors() == before + 1);
  ConnectOptions options;
  options.timeout = 5ms;
  const auto error = thrown<ConnectTimeoutError>(loop, TCPClient::connect_unix(name, options));
  REQUIRE(error);
  CHECK(error->what() == "Timeout connecting to @" + name.substr(1) + ": no answer");
  loop.spawn(connect_unix_and_keep(name, done));
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK_FALSE(done);
  CHECK(listener.accept().fd);
  loop.run_until([&] { return done; });
}

}  // namespace
}  // namespace squall::tcp_client_test
