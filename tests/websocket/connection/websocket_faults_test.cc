#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/prepared_message.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <cerrno>
#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "support/faults.h"
#include "support/hex.h"
#include "websocket/connection/crowd.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::websocket_faults_test {
namespace {

using squall::testing::from_hex;
using squall::testing::to_hex;
using squall::testing::faults::AllocationFault;
using squall::testing::faults::Call;
using squall::testing::faults::in_turn;
using squall::testing::faults::Injection;
using squall::testing::faults::kAlways;
using squall::testing::faults::Short;
using testing::Crowd;
using testing::frame;
using testing::Scene;

TEST_CASE("without random bytes a client's message is refused, and the connection stays open", "[faults]") {
  // In a thread of its own, which has taken no keys.
  std::thread([] {
    Scene scene(Role::client);
    {
      const Injection fault(Call::random, EIO, {.times = kAlways});
      CHECK_THROWS_AS(scene.socket->write_message("x"), std::system_error);
      CHECK(fault.hits() == 1);
    }
    CHECK(scene.socket->waiting_bytes() == 0);
    scene.socket->write_message("Hello");
    CHECK(to_hex(scene.received(11)).substr(0, 4) == "8185");
  }).join();
}

struct Outcome {
  bool has_ended = false;
  bool has_thrown = false;  // std::bad_alloc, in reading or writing
};

Task<> echo(WebSocketConnection& socket, Outcome& outcome) {
  try {
    for (;;) {
      const std::optional<Message> message = co_await socket.read_message();
      if (!message) break;
      co_await socket.write_message(*message);
    }
  } catch (const std::bad_alloc&) {
    outcome.has_thrown = true;
  } catch (const StreamClosedError&) {
    // The stream was closed for want of memory.
  }
  outcome.has_ended = true;
}

TEST_CASE("if one allocation fails, the connection goes on or ends, and its task learns of it", "[faults]") {
  int thrown = 0;
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool is_hit = false;
    // In a thread of its own, whose pools are empty.
    std::thread([&] {
      Scene scene(Role::server, {}, ConnectionTerms{.subprotocol = {}, .deflate = DeflateTerms{}});
      Outcome outcome;
      TaskGroup tasks(scene.loop);
      tasks.add(echo(*scene.socket, outcome));
      scene.peer.send(frame(Role::client, Opcode::text, std::string(3000, 'x'), false) +
                      frame(Role::client, Opcode::continuation, std::string(3000, 'y')) +
                      frame(Role::client, Opcode::ping, "p") +
                      frame(Role::client, Opcode::text, from_hex("f2 48 cd c9 c9 07 00"), true, true) +
                      frame(Role::client, Opcode::close, testing::close_payload(1000)));
      {
        AllocationFault fault(after);
        for (int i = 0; i < 20; ++i) scene.loop.run_turn();
        is_hit = fault.disarm() > 0;
      }
      scene.loop.run_until([&] { return outcome.has_ended; });
      thrown += outcome.has_thrown;
      scene.socket->close(1000);
      scene.socket.reset();
      const std::string received = scene.received_to_end();
      // Without the fault the last bytes are the answer to the close frame.
      if (!is_hit) CHECK(to_hex(received.substr(received.size() - 4)) == "880203e8");
      scene.loop.log.expect_any("error");
    }).join();
    return is_hit;
  });
  CHECK(failures >= 5);
  CHECK(thrown >= 3);
}

TEST_CASE("if one allocation fails while a connection rests or wakes, it goes on, or ends once", "[faults]") {
  enum class Step { rest, bytes, write, post, close, drop };
  for (const Step step : {Step::rest, Step::bytes, Step::write, Step::post, Step::close, Step::drop}) {
    int ended = 0;
    const int failures = in_turn([&](int after) {
      CAPTURE(step, after);
      bool is_hit = false;
      // In a thread of its own, whose pools are empty.
      std::thread([&] {
        Crowd scene;
        scene.socket->set_receiver(scene);
        if (step != Step::rest) scene.wait_for_rest();
        if (step == Step::bytes) scene.send(Opcode::text, "x");
        bool has_thrown = false;
        {
          AllocationFault fault(after);
          try {
            if (step == Step::write) scene.socket->write_message("y");
            if (step == Step::post) scene.socket->post_message("y");
            if (step == Step::close) scene.socket->close(1000);
            if (step == Step::drop) scene.socket->drop();
          } catch (const std::bad_alloc&) {
            has_thrown = true;
          }
          for (int i = 0; i < 10; ++i) scene.loop.run_turn();
          is_hit = fault.disarm() > 0;
        }
        CHECK((!has_thrown || step == Step::write || step == Step::post));
        if (scene.socket->is_closing()) {
          ++ended;
          scene.peer.half_close();
          scene.wait_for("closed");
          CHECK(scene.socket->is_closed());
        } else {
          CHECK(step != Step::close);
          CHECK(step != Step::drop);
          scene.send(Opcode::text, "z");
          scene.wait_for("text:z");
          if (has_thrown) scene.socket->write_message("y");
        }
        scene.loop.log.expect_any("error");
      }).join();
      return is_hit;
    });
    CAPTURE(step, ended);
    if (step != Step::rest) CHECK(failures > 0);
  }
}

TEST_CASE(
    "if post_now() has no memory for what the kernel has not taken, a frame is sent whole or the end is",
    "[faults]") {
  const PreparedMessage message(std::string(1000, 'm'));
  for (const std::size_t sent : {std::size_t{0}, std::size_t{100}}) {
    CAPTURE(sent);
    // In a thread of its own, whose pools are empty.
    std::thread([&] {
      Scene scene;
      bool has_thrown = false;
      {
        std::optional<Injection> blocked;
        std::optional<Short> few;
        sent > 0 ? void(few.emplace(Call::send, sent)) : void(blocked.emplace(Call::send, EAGAIN));
        AllocationFault fault(0, kAlways);
        try {
          scene.socket->post_now(message);
        } catch (const std::bad_alloc&) {
          has_thrown = true;
        }
        CHECK(fault.disarm() > 0);
      }
      CHECK(has_thrown);
      CHECK(scene.socket->is_closing() == (sent > 0));
      if (sent > 0) {
        // The peer cannot interpret what would follow.
        CHECK(scene.received_to_end().size() == sent);
        CHECK_THROWS_AS(scene.socket->write_message("x"), WebSocketClosedError);
      } else {
        CHECK(scene.socket->post_now(PreparedMessage("x")));
        CHECK(to_hex(scene.received(3)) == "810178");
      }
      scene.loop.log.expect_any("");
    }).join();
  }
}

}  // namespace
}  // namespace squall::websocket::websocket_faults_test
