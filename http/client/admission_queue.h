#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace squall::http {

// Limits the requests that run at the same time, in all and for each host, and queues the others.
//
// First come, first served, except that a request whose host is at its limit does not hold up requests to
// other hosts. The queue has a list of the hosts that may start their next request, so the cost of a slot
// does not grow with the number of waiting requests.
//
//     const AdmissionQueue::Slot slot = co_await queue.slot(host);
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop and the hosts. Must outlive its slots and their awaiters.
class AdmissionQueue {
 public:
  struct Limits {
    std::size_t max_active = 10;
    std::optional<std::size_t> max_active_per_host;  // std::nullopt: only max_active counts
  };
  struct Host;
  // A place in the queue.
  struct Waiter : ListNode<> {
    enum class State : std::uint8_t {
      outside,  // not in the queue
      waiting,  // in the list of its host
      granted,  // owns a slot, and resumes in this turn
    };
    explicit Waiter(Host& host) noexcept : host(host) {}

    Host& host;
    State state = State::outside;
    std::uint64_t number = 0;
    LoopHook resume;
  };
  // The requests to one host. Embedded in the caller's table of hosts; its address must not change while it
  // is in use.
  struct Host : ListNode<> {  // in the list of hosts that have a waiting request and a free slot
    bool in_use() const noexcept { return active > 0 || !waiting.empty(); }

    std::size_t active = 0;
    IntrusiveList<Waiter> waiting;
  };
  class Slot;
  class SlotAwaiter;

  AdmissionQueue(const Limits& limits, IOLoop& loop) noexcept : loop_(loop), limits_(limits) {}
  AdmissionQueue(const AdmissionQueue&) = delete;
  AdmissionQueue& operator=(const AdmissionQueue&) = delete;

  // Awaited, gives a Slot. Dropping the awaiter leaves the queue.
  SlotAwaiter slot(Host& host) noexcept;
  // Whether slot() would not wait.
  bool has_slot(const Host& host) const noexcept { return active_ < limits_.max_active && has_room(host); }
  std::size_t active() const noexcept { return active_; }
  std::size_t waiting() const noexcept { return waiting_; }

 private:
  bool has_room(const Host& host) const noexcept {
    return !limits_.max_active_per_host || host.active < *limits_.max_active_per_host;
  }
  void start(Host& host) noexcept {
    ++active_;
    ++host.active;
  }
  void end(Host& host) noexcept;
  void give_slots() noexcept;
  void add(Waiter& waiter) noexcept;
  void remove(Waiter& waiter) noexcept;
  void update_ready(Host& host) noexcept;

  LoopRef loop_;
  Limits limits_;
  std::size_t active_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t next_number_ = 0;  // of the next waiter
  IntrusiveList<Host> ready_;      // ordered by the number of each host's first waiter
};

// The right to run one request. Destroying it gives the slot to the next request.
class [[nodiscard]] AdmissionQueue::Slot {
 public:
  // No slot.
  Slot() noexcept = default;
  Slot(AdmissionQueue& queue, Host& host) noexcept : queue_(&queue), host_(&host) {}
  Slot(Slot&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), host_(other.host_) {}
  Slot& operator=(Slot&& other) noexcept {
    std::swap(queue_, other.queue_);
    std::swap(host_, other.host_);
    return *this;
  }
  ~Slot() {
    if (queue_) queue_->end(*host_);
  }

  explicit operator bool() const noexcept { return queue_ != nullptr; }

 private:
  AdmissionQueue* queue_ = nullptr;
  Host* host_ = nullptr;
};

class [[nodiscard]] AdmissionQueue::SlotAwaiter {
 public:
  SlotAwaiter(AdmissionQueue& queue, Host& host) noexcept : queue_(queue), waiter_(host) {}
  SlotAwaiter(const SlotAwaiter&) = delete;
  SlotAwaiter& operator=(const SlotAwaiter&) = delete;
  ~SlotAwaiter();

  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> coroutine) noexcept;
  Slot await_resume() noexcept {
    waiter_.state = Waiter::State::outside;
    return Slot(queue_, waiter_.host);
  }

 private:
  AdmissionQueue& queue_;
  Waiter waiter_;
};

inline AdmissionQueue::SlotAwaiter AdmissionQueue::slot(Host& host) noexcept { return {*this, host}; }

}  // namespace squall::http
