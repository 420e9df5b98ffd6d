#pragma once

#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/send_queue.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/hub.h>
#include <squall/websocket/hub/subscriber.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::websocket::testing {

using squall::testing::RawPeer;
using squall::testing::TestLoop;

// A connection of a server, and its client.
class Client {
 public:
  explicit Client(IOLoop& loop, const ConnectionOptions& options = {}, ConnectionTerms terms = {})
      : Client(squall::testing::tcp_pair(), loop, options, std::move(terms)) {}

  // The messages that have arrived, each followed by a blank; `!1013` for a close frame.
  const std::string& received() {
    std::string bytes;
    peer.drain(bytes);
    std::span<char> unread(bytes);
    for (;;) {
      switch (reader_.read(unread)) {
        case MessageReader::Result::more: return got_;
        case MessageReader::Result::text:
        case MessageReader::Result::binary:
          if (reader_.payload().size() != kFill) got_.append(reader_.payload()) += ' ';
          break;
        case MessageReader::Result::close:
          close_reason = reader_.close_status().reason;
          return got_ += '!' + std::to_string(reader_.close_status().code.value_or(0));
        case MessageReader::Result::failed: return got_ += "failed";
        default: break;
      }
    }
  }
  // Fills the buffers of the kernel, so that further messages wait. received() leaves this message out.
  void get_stuck(TestLoop& loop) {
    socket->write_message(std::string(kFill, 'f'), MessageType::binary);
    for (int i = 0; i < 5; ++i) loop.run_turn();
    REQUIRE(socket->waiting_bytes() > SendQueue::kHighWater);
  }
  static constexpr std::size_t kFill = 20'000'000;

  RawPeer peer;
  std::unique_ptr<WebSocketConnection> socket;
  std::string close_reason;

 private:
  Client(std::pair<OwnedFd, OwnedFd> fds, IOLoop& loop, const ConnectionOptions& options,
         ConnectionTerms terms)
      : peer(std::move(fds.second)), reader_(reader_options(terms)) {
    socket = std::make_unique<WebSocketConnection>(IOStream(std::move(fds.first), IOStream::Options(), loop),
                                                   Role::server, std::move(terms), options);
  }
  static MessageReader::Options reader_options(const ConnectionTerms& terms) {
    MessageReader::Options options;
    options.role = Role::client;
    options.max_message_size = 2 * kFill;
    if (terms.deflate) options.deflate = terms.deflate->send;
    return options;
  }

  MessageReader reader_;
  std::string got_;
};

inline SubscribeOptions with_form(Form form) {
  SubscribeOptions options;
  options.form = form;
  return options;
}

// A hub in one loop.
struct HubScene {
  explicit HubScene(HubOptions options = {}) : hub(std::make_unique<Hub>(std::move(options))) {}

  // A hub that keeps `max_messages` messages of the topics below `kept`.
  static HubOptions with_history(std::size_t max_messages = 1000) {
    HubOptions options;
    options.history.push_back({"kept.>", {.max_messages = max_messages}});
    return options;
  }

  // Waits until the client has received exactly these messages.
  void expect(Client& client, const std::string& messages) {
    std::string got;
    loop.run_until([&] {
      got = client.received();
      return got.size() >= messages.size();
    });
    CHECK(got == messages);
  }
  // Runs all that is due.
  void settle() {
    for (int i = 0; i < 10; ++i) loop.run_turn();
  }
  void publish_numbers(std::string_view topic, int first, int last) {
    for (int i = first; i <= last; ++i) hub->publish(topic, std::to_string(i));
  }

  TestLoop loop;
  std::unique_ptr<Hub> hub;
};

}  // namespace squall::websocket::testing
