#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/topic_message.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace squall::websocket {

// How much of a topic is kept. The oldest messages are forgotten beyond each of the limits.
struct HistoryLimits {
  std::size_t max_messages = 1000;
  std::size_t max_bytes = 1024 * 1024;  // of the payloads
  TimeSpan max_age = std::chrono::hours(1);
};

// A question for a page of a topic's history.
struct HistoryRequest {
  // The messages behind this position, oldest first; nullopt: the newest messages, oldest of them first.
  std::optional<Position> after{};
  // 0 messages ask for `top` alone. The first message of a page may be larger than max_bytes.
  std::size_t max_messages = 100;
  std::size_t max_bytes = 256 * 1024;
};

struct HistoryPage {
  enum class Status : std::uint8_t {
    ok,           // `messages` follow on `after` without a gap; there are more if the last one is not `top`
    gap,          // messages behind `after` are forgotten, or its epoch is another one: `messages` is empty
    no_history,   // the topic has none (yet): nothing was published to it, or it keeps none
    unavailable,  // the broker cannot be reached, and the history is not known
  };

  Status status = Status::ok;
  std::vector<SharedMessage> messages{};  // each has its position
  // Of `ok` and `gap`: the positions of the newest message of the topic when the page was read, and of the
  // newest one that is forgotten. Clients with a position from `bottom` up to `top` can resume.
  Position top{};
  Position bottom{};
};

}  // namespace squall::websocket
