#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/codec/piece_limits.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace squall::websocket {

// The messages of post_message() that wait because the peer is slow.
struct QueueOptions {
  // The rule for a further message that does not fit.
  enum class WhenFull : std::uint8_t {
    drop_oldest,  // the messages that have waited longest make room
    drop_newest,  // the further message is dropped
    keep_latest,  // all messages that wait are dropped: for states, each of which replaces the one before
    close,        // the connection is closed with 1013, and the messages that wait are dropped
  };

  // With WhenFull::keep_latest a message does not fit if another one waits: the limit is one message.
  std::size_t max_messages = 1000;
  // A larger message never waits: it is dropped, or closes the connection. Counts the payloads, and 64 bytes
  // for each message.
  std::size_t max_bytes = 1024 * 1024;
  WhenFull when_full = WhenFull::close;

  bool operator==(const QueueOptions&) const = default;
};

struct ConnectionOptions {
  // A larger message of the peer closes the connection with 1009 (WSK-29, WSK-44, WSK-65).
  std::size_t max_message_size = 10 * 1024 * 1024;
  // The limits of a message that is read in pieces.
  PieceLimits pieces{};
  // A ping is sent each time this time has passed (WSK-70); std::nullopt: none.
  std::optional<TimeSpan> ping_interval{};
  // If the peer sends nothing for this time after a ping, the connection is closed (WSK-72). At most
  // ping_interval, which is used for std::nullopt; zero: the connection stays open (WSK-71).
  std::optional<TimeSpan> ping_timeout{};
  // The time for the peer to answer a close frame, and to end the connection (WSK-56).
  TimeSpan close_timeout = std::chrono::seconds(5);
  // A server accepts frames without a mask, against RFC 6455, 5.1 (WSK-37).
  bool accepts_unmasked = false;
  QueueOptions queue{};

  bool operator==(const ConnectionOptions&) const = default;
};

// The result of the opening handshake.
struct ConnectionTerms {
  std::string subprotocol{};              // empty without one
  std::optional<DeflateTerms> deflate{};  // nullopt: messages are not compressed
  // The levels for the messages that are sent.
  DeflateOptions compression{};

  bool operator==(const ConnectionTerms&) const = default;
};

}  // namespace squall::websocket
