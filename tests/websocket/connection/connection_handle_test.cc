// Connections that other threads send on and close.

#include <squall/websocket/connection/connection_handle.h>

#include <squall/websocket/connection/mailbox.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "websocket/connection/peer_reader.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::connection_handle_test {
namespace {

using testing::PeerReader;
using testing::Scene;
using testing::Stuck;
using testing::with_queue;
using WhenFull = QueueOptions::WhenFull;

void in_thread(std::function<void()> work) { std::thread(std::move(work)).join(); }

// The results of posting `0` to `4`.
std::string post_five(const ConnectionHandle& handle) {
  std::string results;
  for (int i = 0; i < 5; ++i) results += handle.post_message(std::to_string(i)) ? 'y' : 'n';
  return results;
}

TEST_CASE("another thread posts messages of both kinds, in order, and closes behind them",
          "[handle][threads]") {
  Scene scene;
  const ConnectionHandle handle = scene.socket->handle();
  in_thread([handle, message = PreparedMessage("shared")] {
    CHECK(handle.is_open());
    CHECK(handle.post_message("one"));
    CHECK(handle.post_message(message));
    CHECK(handle.post_message("two"));
    handle.close(4000, "done");
    CHECK_FALSE(handle.is_open());
    CHECK_FALSE(handle.post_message("late"));
    handle.close(4001);
  });
  CHECK_FALSE(scene.socket->is_closing());  // the loop has not run
  CHECK(PeerReader(Role::client).read_until(scene, "") == "one shared two 4000");
  CHECK(scene.socket->is_closing());
}

TEST_CASE("a thread wakes a loop that waits", "[handle][threads]") {
  Scene scene;
  std::thread thread([handle = scene.socket->handle()] { handle.post_message("Hello"); });
  CHECK(PeerReader(Role::client).read_until(scene, "Hello") == "Hello ");
  thread.join();
}

TEST_CASE("a client's connection has handles too", "[handle]") {
  Scene scene(Role::client);
  in_thread([handle = scene.socket->handle()] {
    handle.post_message("own");
    handle.post_message(PreparedMessage("shared"));
  });
  CHECK(PeerReader(Role::server).read_until(scene, "shared") == "own shared ");
}

TEST_CASE("messages of a handle are sent in a later turn, also from the loop's thread", "[handle]") {
  Scene scene;
  const ConnectionHandle handle = scene.socket->handle();
  CHECK(handle.post_message("handle"));
  CHECK(scene.socket->post_message("connection"));
  CHECK(PeerReader(Role::client).read_until(scene, "handle") == "connection handle ");
}

TEST_CASE("a handle refuses what the connection would refuse", "[handle]") {
  Scene scene;
  const ConnectionHandle handle = scene.socket->handle();
  CHECK_THROWS_AS(handle.post_message("x", MessageType::ping), std::invalid_argument);
  CHECK_THROWS_AS(handle.close(1005), std::invalid_argument);
  CHECK_THROWS_AS(handle.close(1000, std::string(124, 'x')), std::invalid_argument);
  CHECK(handle.is_open());
  handle.close(std::nullopt, "reason");
  CHECK(PeerReader(Role::client).read_until(scene, "") == "1000");
}

TEST_CASE("the handle of no connection does nothing", "[handle]") {
  const ConnectionHandle handle;
  CHECK_FALSE(handle.is_open());
  CHECK_FALSE(handle.post_message("x"));
  CHECK_FALSE(handle.post_message(PreparedMessage("x")));
  handle.close(1000);
}

TEST_CASE("a handle outlives its connection and its loop, and then does nothing", "[handle]") {
  std::vector<ConnectionHandle> handles;
  {
    Scene scene;
    handles.push_back(scene.socket->handle());
    CHECK(handles[0].post_message("waits when the connection is destroyed"));
    scene.socket.reset();
    CHECK_FALSE(handles[0].is_open());
    CHECK_FALSE(handles[0].post_message("x"));
    for (int i = 0; i < 3; ++i) scene.loop.run_turn();
    CHECK(scene.received_to_end() == std::string_view("\x88\x02\x03\xe9", 4));
    handles[0].close(1000);
  }
  {
    Scene scene;
    handles.push_back(scene.socket->handle());
    CHECK(handles[1].post_message("waits when the loop is destroyed"));
  }
  for (const ConnectionHandle& handle : handles) {
    CHECK_FALSE(handle.is_open());
    in_thread([handle] {
      CHECK_FALSE(handle.post_message("x"));
      CHECK_FALSE(handle.post_message(PreparedMessage("x")));
      handle.close(1000);
    });
  }
}

TEST_CASE("a handle whose loop is gone is not open any more after a call", "[handle]") {
  struct NoReceiver final : Mailbox::Receiver {
    void deliver(OutgoingMessage&&) override { FAIL("a message without a loop"); }
    void note_dropped(std::uint64_t) noexcept override {}
    void deliver_close(const ClosePayload&) noexcept override {}
  } receiver;
  std::optional<IOLoop> loop(std::in_place);
  const auto mailbox = std::make_shared<Mailbox>(receiver, loop->handle(), QueueOptions());
  const ConnectionHandle handle(mailbox);
  loop.reset();
  CHECK(handle.is_open());
  CHECK_FALSE(handle.post_message("x"));
  CHECK_FALSE(handle.is_open());
  mailbox->end();
}

TEST_CASE("handles of one connection share their state, which ends with the connection's close", "[handle]") {
  const std::array<std::function<void(Scene&)>, 5> ends{
      [](Scene& scene) { scene.socket->handle().close(); },
      [](Scene& scene) { scene.socket->close(); },
      [](Scene& scene) { scene.send(Opcode::close, ""); },
      [](Scene& scene) { scene.peer.send("\xff\xff"); },
      [](Scene& scene) { scene.peer.reset(); },
  };
  for (const Role role : {Role::server, Role::client}) {
    for (const auto& end : ends) {
      Scene scene(role);
      const ConnectionHandle first = scene.socket->handle();
      const ConnectionHandle second = scene.socket->handle();
      TaskGroup tasks(scene.loop);
      tasks.add(scene.socket->wait_closed());
      CHECK(first.is_open());
      end(scene);
      scene.loop.run_until([&] { return scene.socket->is_closing() && !first.is_open(); });
      CHECK_FALSE(second.post_message("x"));
      CHECK_FALSE(scene.socket->handle().is_open());
    }
  }
}

TEST_CASE("messages that wait for the loop are dropped if the connection closes before", "[handle]") {
  Scene scene;
  CHECK(scene.socket->handle().post_message("waits"));
  scene.socket->close(1000);
  CHECK(PeerReader(Role::client).read_until(scene, "") == "1000");
}

TEST_CASE("drop_oldest: a thread that is faster than the loop displaces its oldest messages", "[handle]") {
  Scene scene(Role::server, with_queue(WhenFull::drop_oldest));
  CHECK(post_five(scene.socket->handle()) == "yyyyy");
  CHECK(PeerReader(Role::client).read_until(scene, "4") == "2 3 4 ");
  CHECK(scene.socket->dropped_messages() == 2);
}

TEST_CASE("drop_newest: further messages of a thread that is faster than the loop are dropped", "[handle]") {
  Scene scene(Role::server, with_queue(WhenFull::drop_newest));
  CHECK(post_five(scene.socket->handle()) == "yyynn");
  CHECK(PeerReader(Role::client).read_until(scene, "2") == "0 1 2 ");
  CHECK(scene.socket->dropped_messages() == 2);
}

TEST_CASE("keep_latest: only the last message of a thread that is faster than the loop is sent", "[handle]") {
  Scene scene(Role::server, with_queue(WhenFull::keep_latest));
  CHECK(post_five(scene.socket->handle()) == "yyyyy");
  CHECK(PeerReader(Role::client).read_until(scene, "4") == "4 ");
  CHECK(scene.socket->dropped_messages() == 4);
}

TEST_CASE("close: a thread that is faster than the loop closes the connection with 1013", "[handle]") {
  Scene scene(Role::server, with_queue(WhenFull::close));
  const ConnectionHandle handle = scene.socket->handle();
  CHECK(post_five(handle) == "yyynn");
  CHECK_FALSE(handle.is_open());
  CHECK(PeerReader(Role::client).read_until(scene, "") == "1013");
  CHECK(scene.socket->dropped_messages() == 4);
}

TEST_CASE("the bytes that wait for the loop are bounded too", "[handle]") {
  Scene scene(Role::server, with_queue(WhenFull::drop_oldest, 1'000'000, 1000));
  const ConnectionHandle handle = scene.socket->handle();
  for (int i = 0; i < 1000; ++i) CHECK(handle.post_message(fmt::format("{:0136}", i)));
  CHECK(PeerReader(Role::client).read_until(scene, fmt::format("{:0136}", 999)).size() == 5 * 137);
  CHECK(scene.socket->dropped_messages() == 995);
}

TEST_CASE("one message always fits, and is sent if the peer is not slow", "[handle]") {
  Scene scene(Role::server, with_queue(WhenFull::close, 0, 0));
  const ConnectionHandle handle = scene.socket->handle();
  const std::string large(5000, 'x');
  for (int i = 0; i < 3; ++i) {
    CHECK(handle.post_message(large));
    scene.loop.run_turn();
  }
  handle.close(1000);
  CHECK(PeerReader(Role::client).read_until(scene, "") == large + ' ' + large + ' ' + large + " 1000");
}

TEST_CASE("messages of a handle to a slow peer wait in the queue, by its policy", "[handle]") {
  Stuck stuck(with_queue(WhenFull::drop_oldest));
  const ConnectionHandle handle = stuck.socket->handle();
  in_thread([handle] { CHECK(post_five(handle) == "yyyyy"); });
  stuck.loop.run_turn();
  CHECK(stuck.socket->dropped_messages() == 2);
  in_thread([handle] { CHECK(handle.post_message("5")); });
  stuck.loop.run_turn();
  CHECK(stuck.socket->dropped_messages() == 3);
  CHECK(stuck.rest("5") == "3 4 5 ");
}

// ---- Many threads.

constexpr int kThreads = 3;

// A connection whose peer checks that the messages of each thread arrive in order.
class Link {
 public:
  explicit Link(IOLoop& loop) : Link(squall::testing::tcp_pair(), loop) {}

  void receive() {
    std::string bytes;
    has_ended_ = peer.drain(bytes) || has_ended_;
    for (std::span<char> unread(bytes);;) {
      const MessageReader::Result result = reader_.read(unread);
      if (result != MessageReader::Result::text) break;
      const std::string_view text = reader_.payload();
      auto& next = next_[static_cast<std::size_t>(text[0] - '0')];
      is_in_order_ = is_in_order_ && text.substr(2) == std::to_string(next++);
    }
  }
  bool has_all(int count) const {
    return std::all_of(next_.begin(), next_.end(), [&](int next) { return next == count; });
  }
  bool has_ended() const { return has_ended_; }
  bool is_in_order() const { return is_in_order_; }

  squall::testing::RawPeer peer;
  std::unique_ptr<WebSocketConnection> socket;

 private:
  Link(std::pair<OwnedFd, OwnedFd> fds, IOLoop& loop)
      : peer(std::move(fds.second)),
        socket(std::make_unique<WebSocketConnection>(IOStream(std::move(fds.first), loop), Role::server,
                                                     ConnectionTerms(),
                                                     with_queue(WhenFull::close, 1'000'000, 100'000'000))),
        reader_(reader_options()) {}
  static MessageReader::Options reader_options() {
    MessageReader::Options options;
    options.role = Role::client;
    return options;
  }

  MessageReader reader_;
  std::array<int, kThreads> next_{};
  bool has_ended_ = false;
  bool is_in_order_ = true;
};

// Posts numbered messages to all connections, and closes the first one half-way.
void post_all(const std::vector<ConnectionHandle>& handles, int thread, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string text = fmt::format("{}:{}", thread, i);
    const PreparedMessage shared(text);
    for (const ConnectionHandle& handle : handles) {
      if (!handle.is_open()) continue;
      if (i % 2 == 0) {
        handle.post_message(text);
      } else {
        handle.post_message(shared);
      }
    }
    if (i == count / 2) handles[0].close(1000);
  }
}

TEST_CASE("threads post to connections of which some end meanwhile, and the others lose nothing",
          "[handle][threads]") {
  constexpr int kCount = 500;
  squall::testing::TestLoop loop;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<ConnectionHandle> handles;
  TaskGroup tasks(loop);
  for (int i = 0; i < 8; ++i) {
    links.push_back(std::make_unique<Link>(loop));
    handles.push_back(links.back()->socket->handle());
    if (i != 3) tasks.add(links.back()->socket->wait_closed());
  }
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([handles, i] { post_all(handles, i, kCount); });
  handles.clear();
  int turns = 0;
  loop.run_until([&] {
    switch (++turns) {
      case 3: links[1]->peer.send(testing::frame(Role::client, Opcode::close, "")); break;
      case 5: links[2]->peer.reset(); break;
      case 7: links[3]->socket.reset(); break;
      case 9: links[4]->socket->close(1001); break;
      default: break;
    }
    for (const auto& link : links)
      if (link != links[2]) link->receive();
    return turns > 9 && links[5]->has_all(kCount) && links[6]->has_all(kCount) && links[7]->has_all(kCount);
  });
  for (std::jthread& thread : threads) thread.join();
  for (const auto& link : links) CHECK(link->is_in_order());
  for (const auto& link : links) link->peer.close();
  loop.run_until([&] { return tasks.empty(); });
}

TEST_CASE("threads keep the handles of loops that end", "[handle][threads]") {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 5; ++i) {
    Scene scene(Role::server, with_queue(WhenFull::drop_oldest, 100));
    threads.emplace_back([handle = scene.socket->handle()](const std::stop_token& stop) {
      while (!stop.stop_requested()) handle.post_message("Hello");
    });
    scene.received(1000);
  }
  threads.clear();
}

}  // namespace
}  // namespace squall::websocket::connection_handle_test
