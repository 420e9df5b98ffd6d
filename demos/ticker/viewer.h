#pragma once

#include <squall/websocket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ticker {

// The names of the policies in URLs.
std::optional<squall::websocket::QueueOptions::WhenFull> parse_policy(std::string_view name);

// A client that reads prices, as fast as it is told.
//
// Thread:    the loop's thread only.
// Lifetime:  destroying it closes its connection.
class Viewer {
 public:
  // `url` is the socket's, with the policy.
  Viewer(std::string url, std::string policy);
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  const std::string& policy() const noexcept { return policy_; }
  // After each message.
  void set_pause(std::chrono::milliseconds pause) noexcept { pause_ = pause; }
  std::chrono::milliseconds pause() const noexcept { return pause_; }

  std::uint64_t received() const noexcept { return received_; }
  // The number of the last price.
  std::uint64_t last() const noexcept { return last_; }

 private:
  squall::Task<> run();
  squall::Task<> read(squall::websocket::WebSocketConnection& socket);

  std::string url_;
  std::string policy_;
  std::chrono::milliseconds pause_{};
  std::uint64_t received_ = 0;
  std::uint64_t last_ = 0;
  squall::TaskGroup task_;
};

}  // namespace ticker
