#include <squall/websocket/connection/connection_context.h>

#include <squall/websocket/connection/connection_group.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/hex.h"
#include "websocket/connection/crowd.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::connection_context_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::to_hex;
using testing::close_payload;
using testing::Crowd;
using testing::frame;
using testing::Last;
using testing::Scene;

ConnectionContext::Facts facts() { return {Role::server, {}, {}, {}}; }

TEST_CASE("connections with the same facts share a context while one of them exists", "[context]") {
  testing::TestLoop loop;
  testing::TestLoop other_loop;
  const auto context = ConnectionContext::of(loop, facts());
  CHECK(ConnectionContext::of(loop, facts()) == context);
  CHECK(ConnectionContext::of(other_loop, facts()) != context);
  ConnectionContext::Facts others[5] = {facts(), facts(), facts(), facts(), facts()};
  others[0].role = Role::client;
  others[1].options.queue.max_bytes = 1;
  others[2].terms.subprotocol = "chat";
  others[3].terms.deflate = DeflateTerms();
  others[4].stream.max_write_buffer_size = 1;
  for (const ConnectionContext::Facts& other : others) CHECK(ConnectionContext::of(loop, other) != context);
  const std::weak_ptr<ConnectionContext> gone = ConnectionContext::of(loop, others[0]);
  CHECK(gone.expired());
  // More kinds than are remembered are no error.
  std::vector<std::shared_ptr<ConnectionContext>> many;
  for (std::size_t size = 10; size < 40; ++size) {
    ConnectionContext::Facts fact = facts();
    fact.options.max_message_size = size;
    many.push_back(ConnectionContext::of(loop, fact));
    CHECK(many.back()->facts().options.max_message_size == size);
  }
}

TEST_CASE("a new connection rests once it waits, and bytes wake its receiver", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.loop.run_until([&] { return scene.socket->rests() == 1; });  // no time passes
  CHECK(scene.socket->is_reading());
  scene.send(Opcode::text, "one");
  scene.wait_for("text:one");
  scene.wait_for_rest(2);
  scene.send(Opcode::close, close_payload(4000, "bye"));
  scene.wait_for("closed");
  CHECK(scene.socket->close_code() == 4000);
  CHECK(scene.socket->close_reason() == "bye");
  CHECK(to_hex(scene.received_to_end()) == "88020fa0");
}

TEST_CASE("a read waits across a rest, and may be destroyed and begun again there", "[context][cancel]") {
  Crowd scene;
  std::string all;
  const auto read_all = [](WebSocketConnection& socket, std::string& all) -> Task<> {
    all = co_await testing::read_all(socket);
  };
  {
    TaskGroup tasks(scene.loop);
    tasks.add(read_all(*scene.socket, all));
    scene.wait_for_rest();
  }
  CHECK_FALSE(scene.socket->is_reading());
  scene.send(Opcode::text, "without a reader");
  for (int i = 0; i < 5; ++i) scene.loop.run_turn();
  TaskGroup tasks(scene.loop);
  tasks.add(read_all(*scene.socket, all));
  scene.wait_for_rest(2);
  scene.send(Opcode::text, "two");
  scene.peer.half_close();
  scene.loop.run_until([&] { return !all.empty(); });
  CHECK(all == "text:without a reader text:two end ");
}

TEST_CASE("a message that is sent wakes the connection, and then it rests again", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  scene.socket->write_message("a");
  CHECK(scene.socket->post_message("b"));
  CHECK(to_hex(scene.received(6)) == "810161810162");
  scene.wait_for_rest(2);
  scene.send(Opcode::ping, "p");
  CHECK(to_hex(scene.received(3)) == "8a0170");
}

TEST_CASE("a write whose connection has rested since is sent", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  SendAwaiter sent = scene.socket->write_message("a");
  CHECK(to_hex(scene.received(3)) == "810161");
  scene.wait_for_rest(2);
  scene.loop.run([](SendAwaiter& sent) -> Task<> { co_await std::move(sent); }(sent));
}

TEST_CASE("a write whose task is still to go on keeps the connection active", "[context]") {
  Crowd scene;
  bool is_sent = false;
  // More bytes than a turn's budget: the task goes on in a later turn.
  const auto write = [](WebSocketConnection& socket, bool& is_sent) -> Task<> {
    co_await socket.write_message(std::string(100'000, 'x'));
    is_sent = true;
  };
  TaskGroup tasks(scene.loop);
  scene.loop.add_callback([&] {
    tasks.add(scene.socket->wait_closed());
    tasks.add(write(*scene.socket, is_sent));
  });
  scene.loop.run_until([&] {
    scene.received_now();
    return is_sent;
  });
  CHECK_FALSE(scene.socket->is_closed());
}

TEST_CASE("a connection that was slow once rests again", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  // The last message waits in the queue.
  do {
    REQUIRE(scene.socket->post_message(std::string(100'000, 'x')));
  } while (scene.socket->waiting_bytes() < 300'000);
  CHECK(scene.socket->rests() == 1);
  scene.loop.run_until([&] {
    scene.received_now();
    return scene.socket->waiting_bytes() == 0;
  });
  scene.wait_for_rest(2);
}

TEST_CASE("a part of a message keeps the connection active, and no byte is lost", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  const std::string bytes = frame(Role::client, Opcode::text, "frag", false) +
                            frame(Role::client, Opcode::ping, "p") +
                            frame(Role::client, Opcode::continuation, "ments");
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    scene.peer.send(bytes.substr(i, 1));
    for (int turn = 0; turn < 3; ++turn) {
      scene.clock.advance(2 * ConnectionContext::kPause);
      scene.loop.run_turn();
    }
  }
  scene.peer.send(bytes.substr(bytes.size() - 1));
  scene.wait_for("text:fragments");
  CHECK(scene.socket->rests() == 1);
  scene.wait_for_rest(2);
}

TEST_CASE("a message that the program has not read keeps the connection active", "[context]") {
  Crowd scene;
  scene.peer.send(frame(Role::client, Opcode::text, "one") + frame(Role::client, Opcode::text, "two"));
  CHECK(scene.read() == "text:one");
  const std::uint32_t before = scene.socket->rests();
  for (int i = 0; i < 10; ++i) {
    scene.clock.advance(ConnectionContext::kPause);
    scene.loop.run_turn();
  }
  CHECK(scene.socket->rests() == before);
  CHECK(scene.read() == "text:two");
}

TEST_CASE("a connection that has compressed with a context stays active, and one without rests",
          "[context]") {
  for (const bool has_context : {true, false}) {
    DeflateTerms deflate;
    deflate.send.context_takeover = has_context;
    Crowd scene({.subprotocol = {}, .deflate = deflate, .compression = {}});
    scene.socket->set_receiver(scene);
    scene.wait_for_rest();
    scene.socket->write_message("Hello");
    CHECK(to_hex(scene.received(9)) == "c107f248cdc9c90700");
    for (int i = 0; i < 10; ++i) {
      scene.clock.advance(ConnectionContext::kPause);
      scene.loop.run_turn();
    }
    CHECK(scene.socket->rests() == (has_context ? 1 : 2));
    scene.socket->write_message("Hello");
    CHECK(to_hex(scene.received(has_context ? 7 : 9)) ==
          (has_context ? "c105f200110000" : "c107f248cdc9c90700"));
  }
}

TEST_CASE("a connection at rest that is destroyed sends 1001", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  scene.socket.reset();
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
}

TEST_CASE("a reset and the end of the stream reach a connection at rest", "[context]") {
  for (const bool is_reset : {true, false}) {
    Crowd scene;
    scene.socket->set_receiver(scene);
    scene.wait_for_rest();
    is_reset ? scene.peer.reset() : scene.peer.close();
    scene.wait_for("closed");
    CHECK(scene.socket->is_closed());
    CHECK(scene.socket->close_code() == std::nullopt);
  }
}

TEST_CASE("close() and drop() reach a connection at rest", "[context]") {
  Crowd scene;
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  scene.socket->close(1000);
  CHECK(to_hex(scene.received(4)) == "880203e8");
  scene.send(Opcode::close, close_payload(1000));
  scene.wait_for("closed");
  Crowd aborted;
  aborted.socket->set_receiver(aborted);
  aborted.wait_for_rest();
  aborted.socket->drop();
  aborted.wait_for("closed");
  CHECK(aborted.received_to_end().empty());
}

TEST_CASE("pings wake a connection that rests, and it rests again behind the pong", "[context]") {
  Crowd scene({}, {.ping_interval = 10s, .ping_timeout = 5s});
  scene.socket->set_receiver(scene);
  scene.loop.run_until([&] { return scene.socket->rests() == 1; });
  for (std::uint32_t i = 2; i < 5; ++i) {
    scene.loop.run_until([&] {
      scene.clock.advance(100ms);
      std::string got = scene.received_now();
      return to_hex(got) == "8900";
    });
    scene.send(Opcode::pong, "");
    scene.loop.run_until([&] {
      scene.clock.advance(10ms);
      return scene.socket->rests() == i;
    });
  }
}

TEST_CASE("the facts of a connection outlive its rest", "[context]") {
  Crowd scene({.subprotocol = "chat", .deflate = DeflateTerms(), .compression = {}});
  scene.socket->set_receiver(scene);
  scene.wait_for_rest();
  CHECK(scene.socket->selected_subprotocol() == "chat");
  CHECK(scene.socket->is_compressed());
  CHECK(scene.socket->role() == Role::server);
  CHECK(scene.socket->waiting_bytes() == 0);
  CHECK_FALSE(scene.socket->fault());
  CHECK_FALSE(scene.socket->is_closing());
  CHECK(scene.socket->stream().peer_address().to_string().substr(0, 10) == "127.0.0.1:");
}

TEST_CASE("few connections stay active", "[context]") {
  Scene scene;
  Last last;
  scene.socket->set_receiver(last);
  for (int i = 0; i < 10; ++i) {
    scene.clock.advance(ConnectionContext::kPause);
    scene.loop.run_turn();
  }
  CHECK(scene.socket->rests() == 0);
  scene.socket.reset();
}

}  // namespace
}  // namespace squall::websocket::connection_context_test
