#pragma once

#include <squall/redis/client.h>

#include <poll.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::redis::testing {

// A client, and a server whose bytes the test writes.
class FakeServer {
 public:
  explicit FakeServer(const ClientOptions& options = {}, const IOLoop::Options& loop_options = {})
      : FakeServer(squall::testing::tcp_pair(), options, loop_options) {}

  // Sends, and runs the loop until the client has received the bytes.
  void send(std::string_view bytes) {
    peer.send(bytes);
    pass();
  }
  void pass() {
    pollfd arrived{.fd = client_fd_, .events = POLLIN, .revents = 0};
    ::poll(&arrived, 1, 5000);
    for (int i = 0; i < 5; ++i) loop.run_turn();
  }
  // The bytes that the client has sent, once there are `size` of them.
  std::string received(std::size_t size) {
    std::string all;
    loop.run_until([&] {
      all += peer.received();
      return all.size() >= size;
    });
    return all;
  }
  // The text of the error that closed the client; empty while it is open.
  std::string fault() const { return client->error() ? error_text(client->error()) : std::string(); }

 private:
  FakeServer(std::pair<OwnedFd, OwnedFd> pair, const ClientOptions& options,
             const IOLoop::Options& loop_options)
      : loop(loop_options),
        peer(std::move(pair.second)),
        client_fd_(pair.first.get()),
        client(std::make_unique<Client>(IOStream(std::move(pair.first), loop), options)) {}

 public:
  squall::testing::TestLoop loop;
  squall::testing::RawPeer peer;

 private:
  int client_fd_;

 public:
  std::unique_ptr<Client> client;
};

inline Task<Value> result(Future<Value> future) {
  Value value = co_await std::move(future);
  co_return std::move(value);
}

// The text of the exception of the future.
inline Task<std::string> failure(Future<Value> future) {
  std::string text = "none";
  try {
    co_await std::move(future);
  } catch (const std::exception& error) {
    text = error.what();
  }
  co_return text;
}

}  // namespace squall::redis::testing
