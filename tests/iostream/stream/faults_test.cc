// Every system call that iostream makes fails, with each errno its man page allows; and so does every
// allocation.

#include "support/faults.h"

#include <squall/iostream.h>

#include <netdb.h>
#include <sys/socket.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include "support/platform.h"
#include "support/stream_pair.h"
#include "support/temporary_file.h"
#include "support/test_loop.h"

namespace squall::stream_faults_test {
namespace {

using namespace std::chrono_literals;
using testing::connected_pair;
using testing::Live;
using testing::RawPeer;
using testing::tcp_pair;
using testing::TestLoop;
using testing::faults::AllocationFault;
using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::kAlways;
using testing::faults::open_descriptors;
using testing::faults::Short;
using testing::faults::Truce;

struct Row {
  Call call;
  std::initializer_list<int> errors;
};

// Whether an error is not logged, because the peer has only gone away.
bool is_quiet(int error) {
  return error == ECONNRESET || error == ECONNABORTED || error == EPIPE || error == ETIMEDOUT;
}

std::string named(Call call, int error) {
  return std::string(testing::faults::name_of(call)) + " fails: " + std::strerror(error);
}

template <class Function>
int errno_thrown(Function function) {
  try {
    function();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

struct Wire {
  explicit Wire(IOLoop& loop, IOStream::Options options = IOStream::Options())
      : Wire(loop, options, tcp_pair()) {}
  Wire(IOLoop& loop, IOStream::Options options, std::pair<OwnedFd, OwnedFd> pair)
      : stream(std::move(pair.first), options, loop), peer(std::move(pair.second)) {}
  IOStream stream;
  RawPeer peer;
};

// The result of an operation: its bytes, or the errno of the StreamClosedError.
struct Outcome {
  std::string bytes;
  int error = 0;
  bool done = false;
};
Task<> read_line(IOStream& stream, Outcome& outcome, Live = {}) {
  try {
    const std::string_view line = co_await stream.read_until("\n");
    outcome.bytes = line;
  } catch (const StreamClosedError& closed) {
    outcome.error = closed.code().value();
  }
  outcome.done = true;
}
Task<> write_all(IOStream& stream, std::string data, Outcome& outcome, Live = {}) {
  try {
    co_await stream.write(data);
  } catch (const StreamClosedError& closed) {
    outcome.error = closed.code().value();
  }
  outcome.done = true;
}

ListenOptions loopback() {
  ListenOptions options;
  options.address = "127.0.0.1";
  return options;
}

// ---- Listening.

TEST_CASE("the failure of any call while a socket is bound is thrown, and leaves no descriptor", "[faults]") {
  const Row rows[] = {
      {Call::socket, {EACCES, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
      {Call::setsockopt, {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK}},
      {Call::bind, {EACCES, EADDRINUSE, EADDRNOTAVAIL, EBADF, EINVAL, ENOTSOCK}},
      {Call::listen, {EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP}},
      {Call::getsockname, {EBADF, EINVAL, ENOBUFS, ENOTSOCK}},
  };
  for (const Row& row : rows) {
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      const int calls = in_turn([&](int after) {
        CAPTURE(after);
        const int open = open_descriptors();
        const Injection fault(row.call, error, {.after = after});
        const int thrown = errno_thrown([] { bind_sockets(0); });
        CHECK(thrown == (fault.hits() > 0 ? error : 0));
        CHECK(open_descriptors() == open);
        return fault.hits() > 0;
      });
      CHECK(calls > 0);
    }
  }
}

TEST_CASE("a family that the kernel does not have is skipped, unless it has none (NET-05)", "[faults]") {
  const std::size_t all = bind_sockets(0).size();
  {
    const Injection fault(Call::socket, EAFNOSUPPORT);
    if (all > 1) CHECK(bind_sockets(0).size() == all - 1);
  }
  const Injection fault(Call::socket, EAFNOSUPPORT, {.times = kAlways});
  CHECK(errno_thrown([] { bind_sockets(0); }) == EADDRNOTAVAIL);
}

TEST_CASE("a name that cannot be looked up is thrown with the resolver's reason", "[faults]") {
  for (const int error : {EAI_ADDRFAMILY, EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY,
                          EAI_NODATA, EAI_NONAME, EAI_SERVICE, EAI_SOCKTYPE}) {
    INFO(::gai_strerror(error));
    const Injection fault(Call::getaddrinfo, error);
    try {
      bind_sockets(0, loopback());
      FAIL("found");
    } catch (const std::system_error& thrown) {
      CHECK(thrown.code().value() == error);
      CHECK(std::string(thrown.what()).find(::gai_strerror(error)) != std::string::npos);
    }
  }
  const Injection fault(Call::getaddrinfo, EAI_SYSTEM);
  errno = EMFILE;
  CHECK(errno_thrown([] { bind_sockets(0, loopback()); }) == EMFILE);
}

class EchoServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    const Live live;
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n", 100);
      co_await stream.write(line);
    }
  }
};

TEST_CASE("a server that cannot listen on one of its sockets listens on none", "[faults][poller]") {
  const Row rows[] = {{Call::fcntl, {EBADF, EINVAL, EPERM}},
                      {Call::poller_update, {EBADF, EEXIST, EINVAL, ENOMEM, ENOSPC, EPERM}}};
  for (const Row& row : rows) {
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      const int calls = in_turn([&](int after) {
        CAPTURE(after);
        TestLoop loop;
        EchoServer server(loop);
        std::vector<OwnedFd> sockets = bind_sockets(0, loopback());
        sockets.push_back(std::move(bind_sockets(0, loopback())[0]));
        const int open = open_descriptors();
        const Injection fault(row.call, error, {.after = after});
        const int thrown = errno_thrown([&] { server.add_sockets(std::move(sockets)); });
        CHECK(thrown == (fault.hits() > 0 ? error : 0));
        CHECK((server.port() == 0) == (thrown != 0));
        CHECK(open_descriptors() == open - (thrown ? 2 : 0));
        return fault.hits() > 0;
      });
      CHECK(calls >= 2);
    }
  }
}

// ---- Accepting.

// Sends a line and returns the answer, up to the end of the stream if it ends.
std::string ask(TestLoop& loop, RawPeer& peer, std::string_view line) {
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

TEST_CASE("a connection that fails before accept() is skipped, and the next is served at once", "[faults]") {
  for (const int error : {EAGAIN, ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, EINTR, ENETDOWN, ENETUNREACH, ENONET,
                          ENOPROTOOPT, ENOSR, EOPNOTSUPP, EPERM, EPROTO, ESOCKTNOSUPPORT, ETIMEDOUT}) {
    INFO(named(Call::accept, error));
    TestLoop loop;
    EchoServer server(loop);
    server.listen(0, loopback());
    const Injection fault(Call::accept, error);
    RawPeer peer(server.port());
    CHECK(ask(loop, peer, "hello\n") == "hello\n");
    CHECK(fault.hits() == 1);
  }
}

TEST_CASE("out of descriptors or memory, one connection is refused, and after a pause the next is served",
          "[faults]") {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    INFO(named(Call::accept, error));
    TestLoop loop;
    EchoServer server(loop);
    server.listen(0, loopback());
    RawPeer first(server.port());
    RawPeer second(server.port());
    const Injection fault(Call::accept, error);
    const auto begin = IOLoop::Clock::now();
    CHECK(ask(loop, second, "hello\n") == "hello\n");
    CHECK(IOLoop::Clock::now() - begin >= TCPServer::kPause);
    CHECK(fault.hits() == 1);
    CHECK(first.received().empty());
    CHECK(server.connections() == 1);
    loop.log.expect(std::string("Cannot accept connections, pausing: ") + std::strerror(error));
  }
}

TEST_CASE("a server without a spare descriptor pauses without refusing, and opens a spare descriptor",
          "[faults]") {
  for (const int error : {EACCES, EINTR, EMFILE, ENFILE, ENOMEM}) {
    INFO(named(Call::open, error));
    TestLoop loop;
    const Injection no_spare(Call::open, error);
    EchoServer server(loop);
    CHECK(no_spare.hits() == 1);
    server.listen(0, loopback());
    RawPeer peer(server.port());
    const int open = open_descriptors();
    const Injection fault(Call::accept, EMFILE);
    CHECK(ask(loop, peer, "hello\n") == "hello\n");
    CHECK(fault.hits() == 1);
    CHECK(open_descriptors() == open + 2);  // the connection and the spare
    loop.log.expect("Cannot accept connections, pausing: Too many open files");
  }
}

TEST_CASE("an error of the listening socket does not make the loop spin, and accepting is tried again",
          "[faults]") {
  for (const int error : {EBADF, EFAULT, EINVAL, ENOTSOCK}) {
    INFO(named(Call::accept, error));
    TestLoop loop;
    EchoServer server(loop);
    server.listen(0, loopback());
    RawPeer peer(server.port());
    {
      const Injection fault(Call::accept, error, {.times = kAlways});
      for (int turn = 0; turn < 100; ++turn) loop.run_turn();
      CHECK(fault.hits() >= 1);
      CHECK(fault.hits() < 10);
    }
    CHECK(ask(loop, peer, "hello\n") == "hello\n");
    CHECK(loop.log.expect_any(std::string("Cannot accept connections, pausing: ") + std::strerror(error)) ==
          1);
  }
}

TEST_CASE("a server accepts again after a pause, although the poller refuses at first", "[faults][poller]") {
  for (const int error : {ENOMEM, ENOSPC, EPERM}) {
    for (const int after : {0, 1}) {  // as the pause begins, or as it ends
      INFO(named(Call::poller_update, error) << ", after " << after);
      TestLoop loop;
      EchoServer server(loop);
      std::vector<OwnedFd> sockets = bind_sockets(0, loopback());
      const int fd = sockets[0].get();
      server.add_sockets(std::move(sockets));
      RawPeer first(server.port());
      RawPeer second(server.port());
      const Injection fault(Call::accept, ENOMEM);
      const Injection refusal(Call::poller_update, error, {.after = after, .times = 2, .fd = fd});
      CHECK(ask(loop, second, "hello\n") == "hello\n");
      if (loop.poller_name() == "epoll") CHECK(refusal.hits() == (after ? 2 : 1));
      // poll() needs no call to pause.
      if (loop.poller_name() != "poll" || after == 0) CHECK(refusal.hits() > 0);
      loop.log.expect_any("Cannot accept connections, pausing");
    }
  }
}

TEST_CASE("a server accepts again after a pause, although no memory was left for the pause", "[faults]") {
  TestLoop loop;
  EchoServer server(loop);
  std::vector<OwnedFd> sockets = bind_sockets(0, loopback());
  const int fd = sockets[0].get();
  server.add_sockets(std::move(sockets));
  std::vector<RawPeer> peers;
  for (int i = 0; i < 3; ++i) peers.emplace_back(server.port());
  RawPeer& last = peers.back();
  for (int i = 0; i < 64; ++i) loop.call_later(24h, [] {});  // as many as there is room for at first
  {
    // In turn: an accept fails, and the pause fails; another accept fails, and the pause has no timer; the
    // poller refuses the end of the pause; the pause ends.
    const Injection first(Call::accept, ENOMEM, {.times = 1});
    const Injection second(Call::accept, ENOMEM, {.after = 2});
    const Injection pause(Call::poller_update, ENOMEM, {.times = 1, .fd = fd});
    const Injection end(Call::poller_update, ENOMEM, {.after = 2, .fd = fd});
    AllocationFault no_memory(0, kAlways);
    for (int turn = 0; turn < 4; ++turn) loop.run_turn();
    CHECK(no_memory.disarm() > 0);
    CHECK(first.hits() == 1);
    CHECK(second.hits() == 1);
    CHECK(pause.hits() == 1);
    if (loop.poller_name() != "poll") CHECK(end.hits() == 1);  // poll() needs no call to pause
  }
  CHECK(ask(loop, last, "hello\n") == "hello\n");
  loop.log.expect_any("Cannot accept connections");
}

// ---- Streams.

TEST_CASE("a receive that fails closes the stream, and the read throws its errno", "[faults]") {
  for (const int error :
       {EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, ETIMEDOUT}) {
    INFO(named(Call::recv, error));
    TestLoop loop;
    Wire wire(loop);
    Outcome outcome;
    loop.spawn(read_line(wire.stream, outcome, Live()));
    wire.peer.send("never read\n");
    const Injection fault(Call::recv, error, {.fd = wire.stream.fd()});
    loop.run_until([&] { return outcome.done; });
    CHECK(outcome.error == error);
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error().value() == error);
    CHECK(fault.hits() == 1);
    if (!is_quiet(error)) loop.log.expect(std::string("Read error on "));
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a receive that is interrupted, or finds no bytes, is repeated", "[faults]") {
  for (const int error : {EINTR, EAGAIN}) {
    INFO(named(Call::recv, error));
    TestLoop loop;
    Wire wire(loop);
    Outcome outcome;
    loop.spawn(read_line(wire.stream, outcome));
    wire.peer.send("hello\n");
    const Injection fault(Call::recv, error, {.times = 3, .fd = wire.stream.fd()});
    loop.run_until([&] { return outcome.done; });
    CHECK(outcome.bytes == "hello\n");
    CHECK(fault.hits() == 3);
  }
}

const std::initializer_list<int> kSendErrors = {EACCES, EBADF,    ECONNRESET, EFAULT,      EHOSTUNREACH,
                                                EINVAL, EMSGSIZE, ENETDOWN,   ENETUNREACH, ENOBUFS,
                                                ENOMEM, ENOTCONN, ENOTSOCK,   EPIPE,       ETIMEDOUT};

TEST_CASE("a send that fails closes the stream, and the waiting write throws its errno", "[faults]") {
  for (const int error : kSendErrors) {
    INFO(named(Call::send, error));
    TestLoop loop;
    Wire wire(loop);
    Outcome written;
    Outcome read;
    loop.spawn(read_line(wire.stream, read, Live()));
    const Injection fault(Call::send, error, {.fd = wire.stream.fd()});
    loop.spawn(write_all(wire.stream, "hello\n", written, Live()));
    loop.run_until([&] { return written.done && read.done; });
    CHECK(written.error == error);
    CHECK(read.error == error);
    CHECK(fault.hits() == 1);
    if (!is_quiet(error)) loop.log.expect("Write error on ");
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a send that fails at the end of a turn closes the stream, and the close callback is called",
          "[faults]") {
  for (const int error : kSendErrors) {
    INFO(named(Call::send, error));
    TestLoop loop;
    Wire wire(loop);
    bool closed = false;
    wire.stream.set_close_callback([&] { closed = true; });
    static_cast<void>(wire.stream.write("hello\n"));
    const Injection fault(Call::send, error, {.fd = wire.stream.fd()});
    loop.run_until([&] { return closed; });
    CHECK(wire.stream.error().value() == error);
    if (!is_quiet(error)) loop.log.expect("Write error on ");
  }
}

TEST_CASE(
    "a large write whose send fails once is complete, and one whose sends always fail closes the stream",
    "[faults]") {
  const std::string large(100'000, 'x');
  for (const std::string head : {"", "head"}) {  // queued before it
    // One call sends both.
    const Call call = head.empty() ? Call::send : Call::sendmsg;
    for (const int error : {EAGAIN, EINTR, ENOBUFS, ECONNRESET}) {
      INFO(named(call, error) << ", behind \"" << head << "\"");
      {
        TestLoop loop;
        Wire wire(loop);
        static_cast<void>(wire.stream.write(head));
        const Injection fault(call, error, {.fd = wire.stream.fd()});
        Outcome outcome;
        std::string all;
        loop.spawn(write_all(wire.stream, large, outcome));
        loop.run_until([&] {
          const Truce truce;
          wire.peer.drain(all);
          return outcome.done && all.size() >= head.size() + large.size();
        });
        CHECK(outcome.error == 0);
        CHECK((all == head + large));
        CHECK(fault.hits() == 1);
      }
      if (error == EAGAIN || error == EINTR) continue;
      TestLoop loop;
      Wire wire(loop);
      static_cast<void>(wire.stream.write(head));
      const Injection fault(call, error, {.times = kAlways, .fd = wire.stream.fd()});
      const Injection also(Call::send, error, {.times = kAlways, .fd = wire.stream.fd()});
      Outcome outcome;
      loop.spawn(write_all(wire.stream, large, outcome));
      loop.run_until([&] { return outcome.done; });
      CHECK(outcome.error == error);
      CHECK(wire.peer.received().empty());
      loop.log.expect_any("Write error");
    }
  }
}

TEST_CASE("reading and writing one byte at a time gives the same bytes", "[faults]") {
  TestLoop loop;
  Wire wire(loop);
  const Short received(Call::recv, 1);
  const Short sent(Call::send, 1);
  const Short both(Call::sendmsg, 1);
  {
    Outcome outcome;
    std::string line(5000, 'x');
    line += "\n";
    loop.spawn(read_line(wire.stream, outcome));
    {
      const Truce truce;
      wire.peer.send(line);
    }
    loop.run_until([&] { return outcome.done; });
    CHECK(outcome.bytes == line);
  }
  std::string expected;
  std::vector<Outcome> outcomes(3);
  const std::string pieces[] = {"small", std::string(17'000, 'l'), "small again"};
  for (std::size_t i = 0; i < 3; ++i) {
    expected += "dropped" + pieces[i];
    static_cast<void>(wire.stream.write("dropped"));
    loop.spawn(write_all(wire.stream, pieces[i], outcomes[i]));
  }
  wire.stream.shutdown_write();
  std::string all;
  loop.run_until([&] {
    const Truce truce;
    return wire.peer.drain(all);
  });
  CHECK(all == expected);
  for (const Outcome& outcome : outcomes) {
    CHECK(outcome.done);
    CHECK(outcome.error == 0);
  }
}

Task<> send_file(IOStream& stream, std::string content, Outcome& outcome, Live = {}) {
  const std::uint64_t length = content.size();
  try {
    FileSlice file{testing::temporary_file(content), 0, length};
    auto write = stream.write_file(std::move(file));
    co_await write;
  } catch (const StreamClosedError& error) {
    outcome.error = error.code().value();
  }
  outcome.done = true;
}

std::string receive_all(TestLoop& loop, Wire& wire, Outcome& outcome, std::size_t size) {
  std::string all;
  loop.run_until([&] {
    const Truce truce;
    wire.peer.drain(all);
    return outcome.done && all.size() >= size;
  });
  return all;
}

TEST_CASE("a file arrives complete although sendfile is interrupted, must wait, or cannot send the file",
          "[faults]") {
  if (!testing::kHasSendfile) return;
  const std::string content(300'000, 'x');
  for (const int error : {EINTR, EAGAIN, EINVAL, ENOSYS}) {
    INFO(named(Call::sendfile, error));
    TestLoop loop;
    Wire wire(loop);
    Outcome outcome;
    const bool is_for_good = error == EINVAL || error == ENOSYS;
    const Injection fault(Call::sendfile, error, {.times = is_for_good ? kAlways : 1});
    const Injection also(Call::pread, EINTR);
    loop.spawn(send_file(wire.stream, content, outcome, Live()));
    CHECK((receive_all(loop, wire, outcome, content.size()) == content));
    CHECK(outcome.error == 0);
    CHECK(fault.hits() > 0);
    CHECK((also.hits() == 1) == is_for_good);
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a file arrives complete in many short sends", "[faults]") {
  const std::string content(20'000, 'x');
  for (const bool is_direct : {testing::kHasSendfile, false}) {
    TestLoop loop;
    Wire wire(loop);
    Outcome outcome;
    const Injection refused(Call::sendfile, ENOSYS, {.times = is_direct ? 0 : kAlways});
    const Short sent(Call::sendfile, 1000);
    const Short read(Call::pread, 1000);
    loop.spawn(send_file(wire.stream, content, outcome, Live()));
    CHECK((receive_all(loop, wire, outcome, content.size()) == content));
    CHECK(outcome.error == 0);
  }
}

TEST_CASE("a file that cannot be sent, or read, closes the stream with the reason", "[faults]") {
  const std::string content(300'000, 'x');
  for (const int error : {EBADF, EFAULT, EIO, ENOMEM, EOVERFLOW, EPIPE, ECONNRESET, ENOTCONN}) {
    for (const Call call : {Call::sendfile, Call::pread}) {
      if (call == Call::sendfile && !testing::kHasSendfile) continue;
      INFO(named(call, error));
      TestLoop loop;
      Wire wire(loop);
      Outcome outcome;
      const Injection refused(Call::sendfile, EINVAL, {.times = call == Call::pread ? kAlways : 0});
      const Injection fault(call, error);
      loop.spawn(send_file(wire.stream, content, outcome, Live()));
      loop.run_until([&] { return outcome.done; });
      CHECK(outcome.error == error);
      CHECK(wire.stream.closed());
      if (!is_quiet(error))
        loop.log.expect(call == Call::pread ? "Cannot read the file to send on " : "Write error on ");
    }
  }
  CHECK(Live::count == 0);
}

TEST_CASE(
    "a write of pieces whose send fails once is complete, and one whose sends always fail closes the stream",
    "[faults]") {
  const std::string piece(20'000, 'x');
  const std::string_view pieces[] = {piece, piece};
  for (const int error : {EAGAIN, EINTR, ENOBUFS, ECONNRESET}) {
    INFO(named(Call::sendmsg, error));
    TestLoop loop;
    Wire wire(loop);
    const Injection fault(Call::sendmsg, error, {.fd = wire.stream.fd()});
    wire.stream.write(pieces);
    std::string all;
    loop.run_until([&] {
      const Truce truce;
      wire.peer.drain(all);
      return all.size() >= 40'000;
    });
    CHECK((all == piece + piece));
    CHECK(fault.hits() == 1);
  }
  for (const int error : kSendErrors) {
    INFO(named(Call::writev, error));
    TestLoop loop;
    Pipe pipe = make_pipe();
    IOStream out(std::move(pipe.write), loop);
    const Injection fault(Call::writev, error, {.fd = out.fd()});
    Outcome outcome;
    loop.spawn(write_all(out, "text", outcome));
    loop.run_until([&] { return outcome.done; });
    CHECK(outcome.error == error);
    if (!is_quiet(error)) loop.log.expect("Write error on ");
  }
}

const std::initializer_list<int> kUpdateErrors = {EBADF, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM};

TEST_CASE("a stream that the poller refuses is closed, so that no reader waits for ever",
          "[faults][poller]") {
  for (const int error : kUpdateErrors) {
    INFO(named(Call::poller_update, error));
    TestLoop loop;
    Wire wire(loop);
    Outcome outcome;
    const Injection fault(Call::poller_update, error, {.fd = wire.stream.fd()});
    loop.spawn(read_line(wire.stream, outcome, Live()));
    loop.run_until([&] { return outcome.done; });
    CHECK(outcome.error == error);
    CHECK(wire.stream.closed());
    loop.log.expect("Cannot wait on ");
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a blocked stream that the poller refuses is closed, so that no writer waits for ever",
          "[faults][poller]") {
  for (const int error : kUpdateErrors) {
    for (const bool large : {false, true}) {
      INFO(named(Call::poller_update, error) << (large ? ", large" : ", small"));
      TestLoop loop;
      if (error == EBADF && loop.poller_name() == "kqueue") continue;  // for kqueue the reader has gone
      Wire wire(loop);
      const int fd = wire.stream.fd();
      Outcome outcome;
      const Injection blocked(Call::send, EAGAIN, {.fd = fd});
      const Injection fault(Call::poller_update, error, {.fd = fd});
      loop.spawn(write_all(wire.stream, large ? std::string(100'000, 'x') : "small", outcome, Live()));
      loop.run_until([&] { return outcome.done; });
      CHECK(outcome.error == error);
      CHECK(fault.hits() == 1);
      loop.log.expect("Cannot wait on ");
    }
    // At the end of the turn, where nothing may throw.
    TestLoop loop;
    if (error == EBADF && loop.poller_name() == "kqueue") continue;
    Wire wire(loop);
    const int fd = wire.stream.fd();
    const Injection blocked(Call::send, EAGAIN, {.fd = fd});
    const Injection fault(Call::poller_update, error, {.fd = fd});
    static_cast<void>(wire.stream.write("small"));
    loop.run_turn();
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error().value() == error);
    loop.log.expect("Cannot wait on ");
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a stream whose end the poller will not watch calls its close callback", "[faults][poller]") {
  TestLoop loop;
  Wire wire(loop);
  bool closed = false;
  {
    const Injection fault(Call::poller_update, ENOSPC, {.fd = wire.stream.fd()});
    wire.stream.set_close_callback([&] { closed = true; });
  }
  CHECK_FALSE(closed);
  loop.run_until([&] { return closed; });
  CHECK(wire.stream.error().value() == ENOSPC);
  loop.log.expect("Cannot wait on ");
}

TEST_CASE("a peek for the peer's end that fails closes the stream, or is repeated", "[faults]") {
  for (const int error : {EAGAIN, EINTR, ECONNRESET, ENOMEM}) {
    INFO(named(Call::recv, error));
    TestLoop loop;
    Wire wire(loop);
    bool closed = false;
    wire.stream.set_close_callback([&] { closed = true; });
    const Injection fault(Call::recv, error, {.fd = wire.stream.fd()});
    wire.peer.close();
    loop.run_until([&] { return closed; });
    CHECK(fault.hits() == 1);
    const bool is_fatal = error == ECONNRESET || error == ENOMEM;
    CHECK(wire.stream.error().value() == (is_fatal ? error : 0));
    CHECK(wire.stream.at_eof() == !is_fatal);
    loop.log.expect_any("Read error");
  }
}

TEST_CASE("a descriptor that cannot be made non-blocking is not leaked", "[faults]") {
  for (const int error : {EBADF, EINVAL, EPERM}) {
    INFO(named(Call::fcntl, error));
    TestLoop loop;
    auto pair = tcp_pair();
    const int open = open_descriptors();
    const Injection fault(Call::fcntl, error);
    CHECK(errno_thrown([&] { IOStream(std::move(pair.first), loop); }) == error);
    CHECK(open_descriptors() == open - 1);
  }
}

TEST_CASE("an address that cannot be read is unknown, and an option that cannot be set is ignored",
          "[faults]") {
  TestLoop loop;
  Wire wire(loop);
  const int fd = wire.stream.fd();
  for (const int error : {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK}) {
    INFO(std::strerror(error));
    const Injection local(Call::getsockname, error);
    const Injection peer(Call::getpeername, error);
    CHECK(Address::local_of(fd).to_string() == "unknown");
    CHECK(Address::peer_of(fd).to_string() == "unknown");
    CHECK(Address::peer_of(fd).family() == AF_INET);
    const Injection option(Call::setsockopt, error);
    set_nodelay(fd);
    CHECK(option.hits() == 1);
  }
  // The socket is not changed, and the peer gets the end only when the stream closes.
  const Injection fault(Call::shutdown, ENOTCONN);
  wire.stream.shutdown_write();
  CHECK(fault.hits() == 1);
}

TEST_CASE("a stream whose close() fails is closed once", "[faults]") {
  for (const int error : {EBADF, EINTR, EIO}) {
    INFO(named(Call::close, error));
    TestLoop loop;
    auto pair = tcp_pair();
    const int open = open_descriptors();
    {
      IOStream stream(std::move(pair.first), loop);
      const Injection fault(Call::close, error, {.times = kAlways});
      stream.close();
      stream.close();
      CHECK(fault.hits() == 1);
    }
    CHECK(open_descriptors() == open - 1);
  }
}

// ---- Allocations.

// Runs the function in a new thread, whose free lists are empty.
template <class Function>
void in_new_thread(Function function) {
  std::thread(function).join();
}

TEST_CASE("after a failed allocation an echo is correct or missing, and the next one is correct",
          "[faults]") {
  std::string line(90, 'x');
  line += "\n";
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool hit = false;
    in_new_thread([&] {
      TestLoop loop;
      EchoServer server(loop);
      server.listen(0, loopback());
      RawPeer peer(server.port());
      const std::string_view half = std::string_view(line).substr(0, 40);
      const std::string_view rest = std::string_view(line).substr(40);
      peer.send(line);
      peer.send(half);
      std::string all;
      AllocationFault fault(after);
      for (int turn = 0; turn < 20; ++turn) {
        loop.run_turn();
        if (turn == 10) peer.send_some(rest);
      }
      hit = fault.disarm() > 0;
      const bool ended = peer.drain(all);
      const bool is_right = (line + line).starts_with(all) && (ended || all == line + line);
      CHECK(is_right);
      RawPeer next(server.port());
      CHECK(ask(loop, next, "hello\n") == "hello\n");
      loop.log.expect_any("");
    });
    CHECK(Live::count == 0);
    return hit;
  });
  CHECK(failures > 5);
}

TEST_CASE("a server out of memory loses only connections", "[faults]") {
  in_new_thread([] {
    TestLoop loop;
    EchoServer server(loop);
    server.listen(0, loopback());
    std::vector<RawPeer> peers;
    for (int i = 0; i < 20; ++i) peers.emplace_back(server.port());
    CHECK(ask(loop, peers[0], "hello\n") == "hello\n");
    const int open = open_descriptors();
    for (int i = 0; i < 10; ++i) peers.emplace_back(server.port());
    for (RawPeer& peer : peers) peer.send("hel");
    peers[1].reset();
    peers[2].half_close();
    {
      AllocationFault fault(0, kAlways);
      for (int turn = 0; turn < 10; ++turn) loop.run_turn();
      CHECK(fault.disarm() > 0);
    }
    for (RawPeer& peer : peers) {
      if (peer.fd() < 0) continue;
      const std::string answer = ask(loop, peer, "lo\n");
      CHECK((answer == "hello\n" || answer.empty()));
    }
    RawPeer next(server.port());
    CHECK(ask(loop, next, "served\n") == "served\n");
    peers.clear();
    next.close();
    loop.run_until([&] { return server.connections() == 0; });
    loop.run_turn();
    CHECK(open_descriptors() == open - 40);
    loop.log.expect_any("");
  });
  CHECK(Live::count == 0);
}

TEST_CASE("a write without memory queues nothing, and the stream can be used further", "[faults]") {
  const std::string large(15'000, 'x');
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool hit = false;
    in_new_thread([&] {
      TestLoop loop;
      Wire wire(loop);
      std::string expected;
      AllocationFault fault(after);
      for (const std::string_view data :
           {std::string_view("one"), std::string_view(large), std::string_view("two")}) {
        try {
          static_cast<void>(wire.stream.write(data));
          const Truce truce;
          expected += data;
        } catch (const std::bad_alloc&) {
        }
      }
      hit = fault.disarm() > 0;
      CHECK_FALSE(wire.stream.closed());
      CHECK(wire.stream.pending_write_bytes() == expected.size());
      CHECK((expected.size() < large.size() + 6) == hit);
      std::string all;
      loop.run_until([&] {
        wire.peer.drain(all);
        return all.size() >= expected.size();
      });
      CHECK(all == expected);
    });
    return hit;
  });
  CHECK(failures >= 3);
}

TEST_CASE("a write of which a part was sent closes the stream if memory is exhausted", "[faults]") {
  in_new_thread([] {
    TestLoop loop;
    Wire wire(loop);
    const std::string large(100'000, 'x');
    const Short half(Call::send, 50'000);
    bool refused = false;
    {
      AllocationFault fault(0, kAlways);
      try {
        static_cast<void>(wire.stream.write(large));
      } catch (const std::bad_alloc&) {
        refused = true;
      }
      fault.disarm();
    }
    CHECK(refused);
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error().value() == ENOMEM);
    loop.log.expect_any("Write error");
  });
}

// Leaves the lent bytes in the receive buffer, and waits.
Task<> put_back(IOStream& stream, AllocationFault*& fault, std::optional<AllocationFault>& armed,
                Outcome& outcome) {
  const std::string_view lent = co_await stream.read_some(std::nothrow);
  stream.unread(lent.size());
  fault = &armed.emplace(0, kAlways);
  co_await moment();
  const std::string_view again = co_await stream.read_some(std::nothrow);
  outcome.bytes = again;
  outcome.done = true;
}

TEST_CASE("bytes that cannot be copied for lack of memory stay in place, and no other stream gets them",
          "[faults]") {
  in_new_thread([] {
    TestLoop loop;
    Wire first(loop);
    Wire second(loop);
    Outcome mine;
    Outcome other;
    AllocationFault* fault = nullptr;
    std::optional<AllocationFault> armed;
    loop.spawn(put_back(first.stream, fault, armed, mine));
    loop.spawn(read_line(second.stream, other));
    first.peer.send("mine\n");
    while (!fault) loop.run_turn();
    fault->disarm();
    second.peer.send("a secret\n");
    loop.run_until([&] { return mine.done && other.done; });
    CHECK(other.bytes == "a secret\n");
    CHECK(mine.bytes == "mine\n");
  });
}

TEST_CASE("a stream with a reader, a writer and a callback closes without any memory", "[faults]") {
  TestLoop loop;
  std::vector<Outcome> outcomes(200);
  std::vector<std::unique_ptr<IOStream>> streams;
  std::vector<std::unique_ptr<IOStream>> peers;
  for (int i = 0; i < 100; ++i) {
    auto pair = connected_pair(loop);
    streams.push_back(std::make_unique<IOStream>(std::move(pair.first)));
    peers.push_back(std::make_unique<IOStream>(std::move(pair.second)));
  }
  int called = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    streams[i]->set_close_callback([&] { ++called; });
    loop.spawn(read_line(*streams[i], outcomes[2 * i], Live()));
    const Injection blocked(Call::send, EAGAIN, {.fd = streams[i]->fd()});
    loop.spawn(write_all(*streams[i], "never sent", outcomes[2 * i + 1], Live()));
  }
  {
    AllocationFault fault(0, kAlways);
    for (const auto& each : streams) each->close();
    loop.run_turn();
    fault.disarm();
  }
  CHECK(called == 100);
  for (const Outcome& outcome : outcomes) CHECK(outcome.done);
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::stream_faults_test
