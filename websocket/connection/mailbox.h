#pragma once

#include <squall/ioloop/loop/loop_handle.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/outgoing_message.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace squall::websocket {

// The messages that other threads have posted to a connection, until the loop delivers them.
//
// state  | waits for                                           | next
// open   | messages: a callback of the loop delivers them      | open
//        | close(), or a message too many with WhenFull::close | closed
//        | the end of the connection                           | ended
// closed | the callback, which delivers the close frame        | ended
// ended  | nothing: drops all messages                         |
//
// Thread:    any. end(), and the calls of the receiver: the loop's thread.
// Lifetime:  shared by the connection, its handles and the callback. Borrows the receiver until end().
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  // The connection. It may call end() from these functions.
  class Receiver {
   public:
    virtual void deliver(OutgoingMessage&& message) = 0;
    // So many messages were dropped.
    virtual void note_dropped(std::uint64_t count) noexcept = 0;
    virtual void deliver_close(const ClosePayload& payload) noexcept = 0;

   protected:
    ~Receiver() = default;
  };

  Mailbox(Receiver& receiver, LoopHandle loop, const QueueOptions& options)
      : loop_(std::move(loop)), options_(options), receiver_(&receiver) {}

  // See ConnectionHandle.
  bool post(OutgoingMessage&& message);
  void close(const ClosePayload& payload);
  bool is_open() const noexcept { return state_.load(std::memory_order_acquire) == State::open; }

  // The connection closes.
  void end() noexcept;

 private:
  enum class State : std::uint8_t { open, closed, ended };
  // Splicing needs no memory, so the lock is held for a short time, and nothing throws in between.
  using Messages = std::list<OutgoingMessage>;
  struct Delivery {
    Messages messages;
    std::uint64_t dropped = 0;
    std::optional<ClosePayload> close;
  };

  bool fits(std::size_t cost) const noexcept;
  bool make_room(std::size_t cost, Messages& dropped);
  void close_with(const ClosePayload& payload);
  bool call_loop();
  void deliver();

  const LoopHandle loop_;
  const QueueOptions options_;
  std::mutex mutex_;  // of all below, but of receiver_
  std::atomic<State> state_ = State::open;
  Delivery next_;
  std::size_t bytes_ = 0;   // the sum of the costs of the messages
  bool is_called_ = false;  // the loop has the callback
  Receiver* receiver_;      // null once ended
};

}  // namespace squall::websocket
