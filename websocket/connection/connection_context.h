#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/connection_options.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace squall::websocket {

// The facts that connections of one kind have in common, stored once, and a watch for those that are idle.
//
// A connection is active while it has its stream, its message reader and its frame writer, some 1000 bytes.
// It rests when it has given them up, and has little more than its descriptor; bytes of the peer, and a
// message to be sent, make it active again. A new connection rests as soon as it is idle, an older one after
// it has been idle for kPause to 2 * kPause. Up to kKept connections stay active, for speed.
//
// Thread:    the loop's thread.
// Lifetime:  shared by its connections.
class ConnectionContext {
 public:
  static constexpr std::size_t kKept = 64;
  static constexpr TimeSpan kPause = std::chrono::seconds(1);

  struct Facts {
    Role role;
    ConnectionOptions options;
    ConnectionTerms terms;
    IOStream::Options stream;

    bool operator==(const Facts& other) const noexcept;
  };

  // An active connection.
  class Member : public ListNode<> {
   public:
    // The connection has been active since the last look().
    void note_use() noexcept { is_used_ = true; }

   protected:
    ~Member() = default;

   private:
    friend class ConnectionContext;
    // Rests, if the connection is idle, which destroys this object; otherwise false.
    virtual bool try_rest() noexcept = 0;

    bool is_used_ = true;
    bool is_new_ = false;
  };

  // The context of these facts: an existing one, or a new one.
  static std::shared_ptr<ConnectionContext> of(IOLoop& loop, Facts facts);

  ConnectionContext(IOLoop& loop, Facts facts) : loop_(loop), facts_(std::move(facts)) {}
  ~ConnectionContext() { loop_->remove_timeout(timer_); }
  ConnectionContext(const ConnectionContext&) = delete;
  ConnectionContext& operator=(const ConnectionContext&) = delete;

  IOLoop& loop() const noexcept { return *loop_; }
  const Facts& facts() const noexcept { return facts_; }

  // A new connection, or one that has rested, is active now.
  void add_new(Member& member) noexcept;
  void add(Member& member) noexcept;
  void remove(Member& member) noexcept;
  // A connection waits for the first time: it may rest in the next turn.
  void may_rest(const Member& member) noexcept {
    if (member.is_new_ && active_ > kKept) look_soon();
  }
  std::size_t active() const noexcept { return active_; }

 private:
  // Connections that one look visits, so that no turn of the loop takes long.
  static constexpr std::size_t kBatch = 500;

  void look_soon() noexcept;
  void look_at_new() noexcept;
  void look() noexcept;
  void set_timer() noexcept;

  LoopRef loop_;
  Facts facts_;
  IntrusiveList<Member> new_;    // have not waited yet
  IntrusiveList<Member> older_;  // the first has been looked at the longest time ago
  std::size_t active_ = 0;
  LoopHook soon_{[](void* self) { static_cast<ConnectionContext*>(self)->look_at_new(); }, this};
  Timeout timer_;
};

}  // namespace squall::websocket
