#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/connection_context.h>
#include <squall/websocket/connection/frame_writer.h>
#include <squall/websocket/connection/send_queue.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace squall::websocket {

// The parts of a connection that it has only while it is active: see ConnectionContext.
//
// Lifetime:  owned by the connection, which it refers to.
struct WebSocketConnection::Active final : ConnectionContext::Member, private detail::TaskOwner, Pooled {
  // Exists while a function of the receiver is on the stack, which may destroy the connection.
  class Call {
   public:
    explicit Call(Active& active) noexcept : active_(&active) { active.call = this; }
    ~Call() {
      if (active_) active_->call = nullptr;
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    bool has_connection() const noexcept { return active_ != nullptr; }

   private:
    friend struct Active;
    Active* active_;
  };

  Active(WebSocketConnection& connection, IOStream stream);
  ~Active();

  // Runs a task of the receiver. True if it has ended already; otherwise `later` is called when it has.
  bool run(Task<> task);

  WebSocketConnection& connection;
  IOStream stream;
  MessageReader reader;
  FrameWriter writer;
  std::span<char> unread;                  // the bytes of the last read that the reader has not used
  std::optional<ReadAwaiter> stream_read;  // engaged while bytes of the stream are awaited
  std::unique_ptr<SendQueue> queue;        // null while no message has had to wait
  Timeout deadline;
  LoopHook later;  // goes on receiving in a later turn
  Call* call = nullptr;
  bool has_ended_task = false;  // `task` has ended, and is not destroyed yet
  Task<> task;                  // of the receiver; nothing is received meanwhile. Destroyed first

 private:
  bool try_rest() noexcept override { return connection.rest(); }
  std::coroutine_handle<> task_ended(std::size_t) noexcept override;

  bool is_starting_ = false;
};

}  // namespace squall::websocket
