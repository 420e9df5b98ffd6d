#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace squall::http {

class ClientConnection;

// Keeps the connections of a client between two requests.
//
// The cache closes a connection that was idle for too long, that the server closes, or on which the server
// sends bytes without a request. With too many connections it closes the one that was idle longest.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop and the hosts. Owns the connections in it; destroying it closes them.
class IdleCache {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Limits {
    std::size_t max_idle = 100;
    std::optional<TimeSpan> idle_timeout = std::chrono::seconds(60);  // std::nullopt: no limit
  };
  struct Host;
  struct OfHost;
  // The place of a connection in the cache: a member of the connection. In the list of its host, and in the
  // list of all.
  class Place final : public ListNode<>, public ListNode<OfHost>, private detail::TaskOwner {
   public:
    explicit Place(ClientConnection& connection) noexcept : connection_(connection) {}
    ~Place() { end_watch(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    ClientConnection& connection() const noexcept { return connection_; }
    // Reports to `cache` when anything arrives on the connection, bytes or their end.
    void begin_watch(IdleCache& cache);
    void end_watch() noexcept { watch_.reset(); }

    IOLoop::TimePoint idle_since{};

   private:
    std::coroutine_handle<> task_ended(std::size_t number) noexcept override;

    ClientConnection& connection_;
    IdleCache* cache_ = nullptr;
    Task<> watch_;
  };
  // The idle connections to one host. Embedded in the caller's table of hosts; its address must not change
  // while it is in use.
  struct Host {
    bool in_use() const noexcept { return !idle.empty(); }

    IntrusiveList<Place, OfHost> idle;  // ordered by idle_since
  };

  IdleCache(const Limits& limits, IOLoop& loop) noexcept : loop_(loop), limits_(limits) {}
  ~IdleCache();
  IdleCache(const IdleCache&) = delete;
  IdleCache& operator=(const IdleCache&) = delete;

  // Whether take() asks the kernel, by a system call, if the server has closed the connection or sent bytes.
  enum class Check : std::uint8_t {
    if_idle_long,  // only after more than a second: the loop may not have run meanwhile
    always,        // for a request that cannot be repeated when the connection turns out to be closed
  };
  // The connection to the host that was used last; null without an idle connection.
  std::unique_ptr<ClientConnection> take(Host& host, Check check = Check::if_idle_long);
  void keep(Host& host, std::unique_ptr<ClientConnection> connection);
  std::size_t size() const noexcept { return size_; }
  void close_all() noexcept;

 private:
  std::unique_ptr<ClientConnection> remove(Place& place) noexcept;
  void discard(Place& place) noexcept;
  void free_discarded() noexcept;
  void expire();
  void set_timer();

  LoopRef loop_;
  Limits limits_;
  std::size_t size_ = 0;
  IntrusiveList<Place> idle_;       // ordered by idle_since
  IntrusiveList<Place> discarded_;  // freed at the end of the turn
  LoopHook free_discarded_;
  Timeout timer_;
};

}  // namespace squall::http
