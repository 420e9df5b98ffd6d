#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/ioloop.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace squall::http {

// Every connection of a server, active or parked, and its deadlines.
//
// An active connection has a coroutine, and derives from ConnectionTable::Active. A parked one waits for a
// request and is little more than a descriptor; it derives from ConnectionTable::Parked, and the table owns
// it.
//
// Deadlines. All connections with the same kind of wait have the same timeout. They are in one list, in the
// order in which their waits began, so the first of a list is due first. One timer of the loop looks at the
// first of each list. The cost of a request is moving its connection to the end of a list. The timer fires
// at most once in kPause, so a timeout fires at most kPause after it is due.
//
// Unsent bytes. The table is not told when a response has been sent, as asking the stream after each
// request would cost every request. So it asks a stream one look interval after the connection began to
// wait for a request. While bytes are unsent, the connection is also in a list of senders. The table asks
// it again every look interval, and it times out when no byte was sent for the write timeout. A look
// interval is a fiftieth of the shortest timeout that depends on it, or up to 100 ms if that is more.
//
//   wait     | of an active connection that                      | timeout
//   request  | has answered all requests; once its bytes are sent| idle
//   head     | has begun to receive a request                    | head
//   body     | collects a body within the server's own timeout   | body
//   handler  | waits for a handler; its bytes may be unsent      | write
//   linger   | drops bytes behind its last response, once sent   | linger
//   close    | closes once its bytes are sent                    | write
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop and the active connections.
class ConnectionTable {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Timeouts {
    Duration idle;
    Duration head;
    Duration body;
    Duration write;
    Duration linger;
  };
  enum class Wait : std::uint8_t { request, head, body, handler, linger, close };
  static constexpr std::size_t kWaits = 6;

 private:
  struct WaitTag;
  struct SendTag;

 public:
  // An active connection, as the table sees it.
  class Active : public ListNode<WaitTag>, public ListNode<SendTag> {
   public:
    // The timeout of the connection's wait has passed. May change the wait.
    virtual void timed_out(Wait wait) noexcept = 0;
    // No byte was sent for the write timeout.
    virtual void write_timed_out() noexcept = 0;
    // The connection has been idle for a look interval, and all its bytes are sent. May destroy the
    // connection.
    virtual void settled() noexcept = 0;
    // Bytes that the kernel has not taken, and bytes that it has taken since the connection began.
    virtual std::uint64_t unsent_bytes() const noexcept = 0;
    virtual std::uint64_t sent_bytes() const noexcept = 0;

   protected:
    ~Active() = default;

   private:
    friend class ConnectionTable;
    IOLoop::TimePoint since_{};      // when the wait began
    IOLoop::TimePoint looked_at_{};  // a sender: when it was last asked
    IOLoop::TimePoint moved_{};      // a sender: when a byte was last known to have been sent
    std::uint64_t sent_ = 0;         // a sender: sent_bytes() by then
    bool is_unsent_ = false;         // a sender: bytes were unsent when it was last asked
    Wait wait_ = Wait::request;
  };
  // A connection without a coroutine that waits for a request.
  class Parked : public ListNode<WaitTag> {
   public:
    virtual ~Parked() = default;

   private:
    friend class ConnectionTable;
    IOLoop::TimePoint since_{};
  };

  ConnectionTable(IOLoop& loop, const Timeouts& timeouts) noexcept;
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // Makes sure that the timer exists. Throws std::bad_alloc.
  void prepare();
  // Adds a connection that waits for a request. Throws std::bad_alloc, and then has not added it.
  void add(Active& connection);
  void remove(Active& connection) noexcept;
  std::size_t active() const noexcept { return active_; }

  // Begins another wait of the connection.
  void wait(Active& connection, Wait wait) noexcept;
  // The same for Wait::request, on the fast path of every request.
  void wait_for_request(Active& connection) noexcept {
    connection.wait_ = Wait::request;
    begin_wait(connection, settling_);
  }
  // Bytes are unsent: the write timeout begins, beside the timeout of the wait.
  void watch_sending(Active& connection) noexcept;

  // Adds a parked connection, whose wait begins now, or began when `active` began to wait for a request.
  // The first function throws std::bad_alloc, unless prepare() was called in this turn.
  void park(std::unique_ptr<Parked> connection);
  void park(std::unique_ptr<Parked> connection, const Active& active) noexcept;
  std::unique_ptr<Parked> take(Parked& connection) noexcept;
  // Destroys all parked connections.
  void close_parked() noexcept;

  // Calls `visit` with each connection. `visit` may remove, destroy and add connections.
  template <class Visit>
  void for_each_active(Visit visit) {
    settling_.list.for_each(visit);
    held_.list.for_each(visit);
    for (Queue<Active>& queue : waiting_) queue.list.for_each(visit);
  }
  template <class Visit>
  void for_each_parked(Visit visit) {
    parked_.list.for_each(visit);
  }

 private:
  template <class Connection>
  struct Queue {
    IntrusiveList<Connection, WaitTag> list;
    Duration timeout{};
  };
  struct Senders {
    IntrusiveList<Active, SendTag> list;
    Duration look_interval{};
  };

  static constexpr Duration kPause = std::chrono::milliseconds(10);
  // Connections that one run of the timer handles, so that no turn of the loop takes long.
  static constexpr int kBatch = 500;

  Queue<Active>& queue_of(Wait wait) noexcept { return waiting_[static_cast<std::size_t>(wait)]; }
  // Inlined always: a call costs a request nine instructions (callgrind).
  [[gnu::always_inline]] void begin_wait(Active& connection, Queue<Active>& queue) noexcept {
    static_cast<ListNode<WaitTag>&>(connection).unlink();
    queue.list.push_back(connection);
    connection.since_ = loop_->time();
    if (connection.since_ + queue.timeout < armed_for_) [[unlikely]]
      arm(connection.since_ + queue.timeout);
  }
  void hold(Active& connection) noexcept;
  void begin_look(Active& connection) noexcept;
  void look(Active& connection) noexcept;
  void stop_sending(Active& connection) noexcept;
  void settle(Active& connection) noexcept;
  void arm(IOLoop::TimePoint when) noexcept;
  void run() noexcept;
  int expire(int budget) noexcept;
  IOLoop::TimePoint earliest() const noexcept;

  LoopRef loop_;
  Duration write_timeout_;
  std::size_t active_ = 0;
  Queue<Active> settling_;  // Wait::request, and not asked yet
  Queue<Active> held_;      // no deadline but the write timeout
  std::array<Queue<Active>, kWaits> waiting_;
  Queue<Parked> parked_;
  Senders senders_;
  Senders lingering_senders_;
  Timeout timer_;
  IOLoop::TimePoint armed_for_ = IOLoop::TimePoint::max();
};

}  // namespace squall::http
