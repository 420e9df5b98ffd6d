#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/task.h>
#include <squall/websocket/client/backoff.h>
#include <squall/websocket/client/disconnect.h>
#include <squall/websocket/client/outbox.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace squall::websocket {

class WebSocketConnection;

// The states of a ReconnectingClient: see its table.
enum class ClientState : std::uint8_t { connecting, open, waiting, closing, closed, gave_up };

// `connecting`, `open` and so on.
std::string_view to_string(ClientState state) noexcept;

struct ReconnectOptions {
  BackoffOptions backoff{};
  // A connection that was open for this time was stable: the delays, the attempts and max_time begin again.
  TimeSpan stable_time = std::chrono::seconds(10);

  // ---- When to give up.

  // After as many attempts in a row that led to no stable connection; std::nullopt: no limit.
  std::optional<int> max_attempts{};
  // If the next attempt would be later than this, since the client began or lost a stable connection.
  std::optional<TimeSpan> max_time{};
  // Whether another attempt makes sense. Null: may_reconnect().
  std::function<bool(const Disconnect& why)> should_reconnect{};
  // A server may ask by Retry-After, or by reconnect_reason(), for a wait of at most this time; a longer one
  // is cut.
  TimeSpan max_retry_after = std::chrono::minutes(10);

  // ---- Hooks.

  // Runs on every new connection before it is open: signs in, subscribes again, sends the last offset. May
  // read from the connection. If it throws, or the connection ends meanwhile, the attempt has failed.
  std::function<Task<>(WebSocketConnection& connection)> resume{};
  std::optional<TimeSpan> resume_timeout = std::chrono::seconds(20);
  // Gets each new state. May call the functions of the client, and must not destroy it.
  VoidFunction<ClientState> on_state{};

  // ---- Messages that are sent without a connection.

  enum class WhenDisconnected : std::uint8_t {
    refuse,  // write_message() throws WebSocketClosedError
    queue,   // they wait for the next connection, up to the limits of `outbox`
  };
  WhenDisconnected when_disconnected = WhenDisconnected::refuse;
  Outbox::Limits outbox{};
};

}  // namespace squall::websocket
