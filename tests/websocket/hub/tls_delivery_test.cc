// Messages of a hub to clients over TLS, one of which reads slowly: the kernel takes a part of a record, and
// the rest follows when the client reads.

#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/hub.h>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/test_loop.h"
#include "support/tls_pair.h"

namespace squall::websocket::tls_delivery_test {
namespace {

using squall::testing::ListeningPort;
using squall::testing::secure_both;
using squall::testing::TestLoop;
using squall::testing::TLSSides;
using WhenFull = QueueOptions::WhenFull;

constexpr std::size_t kMessage = 20'000;
constexpr int kMessages = 1000;  // more bytes than the kernel's buffers take

std::string message(int number) { return fmt::format("{:0{}}", number, kMessage); }

// A connection of a server, and its client.
struct Pair {
  Pair(std::pair<IOStream, IOStream> streams, const ConnectionOptions& options)
      : client(std::move(streams.first), Role::client),
        server(std::move(streams.second), Role::server, ConnectionTerms{}, options) {}

  WebSocketConnection client;
  WebSocketConnection server;
};

struct Scene {
  std::unique_ptr<Pair> connect(WhenFull when_full, std::size_t max_messages) {
    std::pair<IOStream, IOStream> streams = port.connect(loop);
    loop.run(secure_both(streams.first, streams.second, client_context, server_context));
    ConnectionOptions options;
    options.queue.when_full = when_full;
    options.queue.max_messages = max_messages;
    options.queue.max_bytes = 2 * kMessages * kMessage;
    auto pair = std::make_unique<Pair>(std::move(streams), options);
    hub.subscribe(pair->server, "a");
    return pair;
  }
  void expect(Pair& pair, int number) {
    const std::string got = next(pair);
    if (got != message(number)) FAIL("message " << number << " has " << got.size() << " bytes");
  }
  std::string next(Pair& pair) { return loop.run(read(pair.client)); }
  static Task<std::string> read(WebSocketConnection& client) {
    const std::optional<Message> got = co_await client.read_message();
    co_return got ? std::string(got->data) : "end";
  }

  TestLoop loop;
  TLSSides sides;
  TLSContext client_context = sides.client();
  TLSContext server_context = sides.server();
  ListeningPort port;
  Hub hub;
};

TEST_CASE("a client that reads slowly over TLS gets all messages that wait for it, in order",
          "[tls_delivery]") {
  Scene scene;
  const auto fast = scene.connect(WhenFull::close, 10);
  const auto slow = scene.connect(WhenFull::close, kMessages);
  for (int i = 0; i < kMessages; ++i) {
    scene.hub.publish("a", message(i));
    scene.expect(*fast, i);
  }
  CHECK(slow->server.waiting_bytes() > kMessage);  // it was slow
  for (int i = 0; i < kMessages; ++i) scene.expect(*slow, i);
  CHECK(slow->server.waiting_bytes() == 0);
  scene.hub.publish("a", "last");
  CHECK(scene.next(*slow) == "last");
  CHECK(scene.next(*fast) == "last");
}

TEST_CASE("a client that reads slowly over TLS loses whole messages if its queue drops some",
          "[tls_delivery]") {
  Scene scene;
  const auto fast = scene.connect(WhenFull::close, 10);
  const auto slow = scene.connect(WhenFull::drop_oldest, 5);
  for (int i = 0; i < kMessages; ++i) {
    scene.hub.publish("a", message(i));
    scene.expect(*fast, i);
  }
  int received = 0;
  for (int last = -1; last < kMessages - 1; ++received) {
    const std::string got = scene.next(*slow);
    const int number = std::stoi(got);
    if (got != message(number) || number <= last) FAIL("after " << last << " a message of " << got.size());
    last = number;
  }
  CHECK(received < kMessages);
  CHECK(slow->server.dropped_messages() == static_cast<std::uint64_t>(kMessages - received));
}

}  // namespace
}  // namespace squall::websocket::tls_delivery_test
