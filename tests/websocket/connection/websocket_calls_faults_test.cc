// Every system call of a connection fails, or transfers less than it was asked to.

#include <squall/websocket/connection/websocket_connection.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "support/faults.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::websocket_calls_faults_test {
namespace {

using squall::testing::faults::Call;
using squall::testing::faults::in_turn;
using squall::testing::faults::Injection;
using squall::testing::faults::kAlways;
using squall::testing::faults::name_of;
using squall::testing::faults::open_descriptors;
using squall::testing::faults::Short;
using testing::frame;
using testing::Scene;

struct Outcome {
  int ends = 0;
  std::string received;  // by the peer
};

Task<> echo(WebSocketConnection& socket, Outcome& outcome) {
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    if (!message) break;
    try {
      if (!socket.is_closing()) co_await socket.write_message(*message);
    } catch (const WebSocketClosedError&) {
      // The next read finds the end.
    }
  }
  ++outcome.ends;
}

// A peer's messages, one in fragments and one that the kernel does not take at once, and its close frame.
std::string dialog() {
  return frame(Role::client, Opcode::text, "Hello") +
         frame(Role::client, Opcode::text, std::string(3000, 'x'), false) +
         frame(Role::client, Opcode::ping, "now") +
         frame(Role::client, Opcode::continuation, std::string(3000, 'y')) +
         frame(Role::client, Opcode::binary, std::string(300'000, 'z')) +
         frame(Role::client, Opcode::close, testing::close_payload(1000));
}

// The dialog, while the fault that `inject(fd)` makes is active. No descriptor is left behind it.
template <class Inject>
Outcome run(Inject inject) {
  const int open = open_descriptors();
  Outcome outcome;
  {
    Scene scene;
    TaskGroup tasks(scene.loop);
    tasks.add(echo(*scene.socket, outcome));
    {
      [[maybe_unused]] const auto fault = inject(scene.socket->stream().fd());
      const std::string bytes = dialog();
      std::string_view left = bytes;
      bool has_closed = false;
      scene.loop.run_until([&] {
        left.remove_prefix(scene.peer.send_some(left));
        // A server whose close frame had to wait reads until the peer closes, too.
        if (!has_closed && scene.peer.drain(outcome.received)) {
          scene.peer.half_close();
          has_closed = true;
        }
        return outcome.ends > 0;
      });
    }
    CHECK(outcome.ends == 1);
    CHECK(scene.socket->is_closed());
    CHECK(scene.read() == "end");
    scene.socket.reset();
    outcome.received += scene.received_to_end();
    scene.loop.log.expect_any("");
  }
  CHECK(open_descriptors() <= open);
  return outcome;
}

std::string undisturbed() {
  return run([](int) { return 0; }).received;
}

TEST_CASE("calls that are interrupted or would block are repeated, and no byte is lost", "[faults]") {
  const std::string expected = undisturbed();
  REQUIRE(expected.size() > 306'000);
  for (const Call call : {Call::recv, Call::send, Call::sendmsg}) {
    for (const int error : {EINTR, EAGAIN}) {
      INFO(name_of(call) << " fails: " << std::strerror(error));
      in_turn([&](int after) {
        CAPTURE(after);
        bool is_hit = false;
        const Outcome outcome = run([&](int fd) {
          struct Counted : Injection {
            Counted(Call call, int error, int after, int fd, bool& is_hit)
                : Injection(call, error, {.after = after, .fd = fd}), is_hit(is_hit) {}
            ~Counted() { is_hit = hits() > 0; }
            bool& is_hit;
          };
          return Counted(call, error, after, fd, is_hit);
        });
        CHECK(outcome.received == expected);
        return is_hit;
      });
    }
  }
}

TEST_CASE("a wait of the poller that is interrupted is repeated", "[faults]") {
  const std::string expected = undisturbed();
  for (int after = 0; after < 5; ++after) {
    const Outcome outcome =
        run([&](int) { return Injection(Call::poller_wait, EINTR, {.after = after, .times = 3}); });
    CHECK(outcome.received == expected);
  }
}

TEST_CASE("calls that transfer a part of the bytes are continued", "[faults]") {
  const std::string expected = undisturbed();
  for (const std::size_t bytes : {7, 1000}) {
    for (const Call call : {Call::recv, Call::send, Call::sendmsg}) {
      INFO(name_of(call) << " transfers at most " << bytes);
      CHECK(run([&](int) { return Short(call, bytes); }).received == expected);
    }
  }
}

TEST_CASE("the failure of any call ends the connection once, and what the peer got is whole until then",
          "[faults]") {
  const std::string expected = undisturbed();
  int ended_early = 0;
  for (const Call call : {Call::recv, Call::send, Call::sendmsg, Call::poller_update, Call::shutdown,
                          Call::setsockopt, Call::close}) {
    for (const int error : {ECONNRESET, EPIPE, ETIMEDOUT, ENOBUFS, ENOMEM, EIO}) {
      INFO(name_of(call) << " fails: " << std::strerror(error));
      in_turn([&](int after) {
        CAPTURE(after);
        bool is_hit = false;
        const Outcome outcome = run([&](int fd) {
          struct Counted : Injection {
            Counted(Call call, int error, int after, int fd, bool& is_hit)
                : Injection(call, error, {.after = after, .times = kAlways, .fd = fd}), is_hit(is_hit) {}
            ~Counted() { is_hit = hits() > 0; }
            bool& is_hit;
          };
          return Counted(call, error, after, fd, is_hit);
        });
        CHECK(expected.starts_with(outcome.received));
        ended_early += outcome.received.size() < expected.size();
        return is_hit;
      });
    }
  }
  CHECK(ended_early > 10);
}

}  // namespace
}  // namespace squall::websocket::websocket_calls_faults_test
