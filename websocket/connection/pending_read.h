#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/websocket/connection/message.h>

#include <cstdint>
#include <exception>
#include <optional>

namespace squall::websocket {

// A read of a connection that may wait: the part of a MessageAwaiter that the connection sees.
struct PendingRead {
  enum class Wanted : std::uint8_t {
    messages,
    all,          // control frames too
    first_piece,  // of the next message
    piece,        // of the message that is read in pieces
  };

  explicit PendingRead(Wanted what) noexcept : wanted(what) {}

  LoopHook resume;  // called when the read is over
  std::optional<Message> result;
  std::exception_ptr error;
  Wanted wanted;
  bool is_waiting = false;  // the connection knows this read
};

}  // namespace squall::websocket
