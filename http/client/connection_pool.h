#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace squall::http {

class ClientConnection;

// A client's connections, by the server they lead to: how many requests may run at a time, in all and for
// each server, who waits for his turn, and the connections that are kept for the next request.
//
// First come, first served, but for those whose server has all the requests it may have: they keep nobody
// from another server waiting. Who waits is not looked at before his turn, so that many may.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Outlives the turns it has given; destroying it closes the connections it
// keeps.
class ConnectionPool {
 public:
  class Turn;
  class TurnAwaiter;
  struct Limits {
    std::size_t max_clients = 10;
    std::size_t max_clients_per_host = 0;  // 0: as many
    std::size_t max_idle = 100;
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);
  };
  // A server: what has the same key can share connections.
  struct Host {
    std::string_view key;  // the map's
    std::size_t active = 0;
    std::vector<ClientConnection*> idle;  // the last one used at the end
    TurnAwaiter* first_waiting = nullptr;
    TurnAwaiter* last_waiting = nullptr;
    // Among those that have somebody waiting and may have another request.
    bool is_ready = false;
    Host* previous_ready = nullptr;
    Host* next_ready = nullptr;
  };

  ConnectionPool(IOLoop& loop, const Limits& limits) : loop_(loop), limits_(limits) {}
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // ---- Turns.

  // The server's. Valid for as long as anybody has a turn there or waits for one.
  Host& host(std::string_view key);
  // co_await turn(host): a Turn.
  TurnAwaiter turn(Host& host) noexcept;
  // There is one to be had at once.
  bool has_turn(const Host& host) const noexcept { return may_start(host); }
  std::size_t active() const noexcept { return active_; }
  std::size_t waiting() const noexcept { return waiting_; }

  // ---- Connections. Those that are kept are closed when they have been idle for long, when the server
  // closes them, and when it sends what nobody has asked for.

  // The last one that was used; null if there is none. The loop may not have run for long: one that has been
  // idle for more than a moment is asked whether it still is as it was left.
  std::unique_ptr<ClientConnection> take(Host& host);
  void keep(Host& host, std::unique_ptr<ClientConnection> connection);
  std::size_t idle() const noexcept { return idle_; }
  void close_idle() noexcept;

 private:
  friend class ClientConnection;

  bool has_room(const Host& host) const noexcept {
    return limits_.max_clients_per_host == 0 || host.active < limits_.max_clients_per_host;
  }
  bool may_start(const Host& host) const noexcept { return active_ < limits_.max_clients && has_room(host); }
  void start(Host& host) noexcept {
    ++active_;
    ++host.active;
  }
  void end(Host& host) noexcept;
  void give_turns() noexcept;
  void remove_waiting(TurnAwaiter& waiter) noexcept;
  void place(Host& host) noexcept;
  void forget_if_unused(Host& host) noexcept;
  std::unique_ptr<ClientConnection> unlink(ClientConnection& connection) noexcept;
  // It has become useless while idle. It is suspended within, so it goes at the end of the turn.
  void discard(ClientConnection& connection) noexcept;
  void expire();
  void expire_later();

  IOLoop& loop_;
  Limits limits_;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>()(key); }
  };
  std::unordered_map<std::string, Host, Hash, std::equal_to<>> hosts_;
  std::size_t active_ = 0;
  std::size_t waiting_ = 0;
  std::size_t idle_ = 0;
  std::uint64_t came_ = 0;       // so many have waited
  Host* first_ready_ = nullptr;  // by who has waited longest there
  Host* last_ready_ = nullptr;
  ClientConnection* oldest_ = nullptr;  // among the idle ones, by when they became so
  ClientConnection* newest_ = nullptr;
  ClientConnection* discarded_ = nullptr;
  LoopHook clean_up_;
  Timeout timer_;
};

// The right to have a request at work. Given back when it goes out of scope.
class [[nodiscard]] ConnectionPool::Turn {
 public:
  Turn() noexcept = default;
  Turn(ConnectionPool& pool, Host& host) noexcept : pool_(&pool), host_(&host) {}
  Turn(Turn&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), host_(other.host_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() { release(); }

  Host& host() const noexcept { return *host_; }
  void release() noexcept {
    if (pool_) std::exchange(pool_, nullptr)->end(*host_);
  }

 private:
  ConnectionPool* pool_ = nullptr;
  Host* host_ = nullptr;
};

class [[nodiscard]] ConnectionPool::TurnAwaiter {
 public:
  TurnAwaiter(ConnectionPool& pool, Host& host) noexcept : pool_(pool), host_(host) {}
  TurnAwaiter(const TurnAwaiter&) = delete;
  TurnAwaiter& operator=(const TurnAwaiter&) = delete;
  ~TurnAwaiter();

  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> coroutine) noexcept;
  Turn await_resume() noexcept {
    given_ = false;
    return Turn(pool_, host_);
  }

 private:
  friend class ConnectionPool;

  ConnectionPool& pool_;
  Host& host_;
  LoopHook resume_;
  TurnAwaiter* previous_ = nullptr;
  TurnAwaiter* next_ = nullptr;
  std::uint64_t number_ = 0;  // of those who have waited
  bool waiting_ = false;      // in the host's list
  bool given_ = false;        // the turn is ours, and not taken yet
};

inline ConnectionPool::TurnAwaiter ConnectionPool::turn(Host& host) noexcept { return {*this, host}; }

}  // namespace squall::http
