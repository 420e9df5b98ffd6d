#pragma once

#include <squall/websocket/connection/connection_context.h>
#include <squall/websocket/connection/connection_group.h>
#include <squall/websocket/connection/message_receiver.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket/connection/scene.h"

namespace squall::websocket::testing {

// Counts messages, and keeps the last.
struct Last : MessageReceiver {
  Task<> on_message(WebSocketConnection&, const Message& message) override {
    last = describe(message);
    return {};
  }
  void on_close(WebSocketConnection&) override { last = "closed"; }

  std::string last;
};

// A connection that may rest, because enough others are active.
struct Crowd : Last, Scene {
  explicit Crowd(ConnectionTerms terms = {}, const ConnectionOptions& options = {})
      : Scene(Role::server, options, terms) {
    for (std::size_t i = 0; i < ConnectionContext::kKept; ++i) {
      auto [ours, theirs] = squall::testing::tcp_pair();
      others.push_back(std::move(theirs));
      crowd.add(std::make_unique<WebSocketConnection>(IOStream(std::move(ours), IOStream::Options(), loop),
                                                      Role::server, terms, options));
    }
  }
  void wait_for_rest(std::uint32_t count = 1) {
    loop.run_until([&] {
      if (socket->rests() < count) clock.advance(std::chrono::milliseconds(100));
      return socket->rests() >= count;
    });
  }
  void wait_for(std::string_view expected) {
    loop.run_until([&] { return last == expected; });
  }

  std::vector<OwnedFd> others;
  ConnectionGroup crowd;
};

}  // namespace squall::websocket::testing
