#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace squall {

// A bounded queue that signal handlers may push to: no lock, no allocation. Each slot has the number of the
// push or drain that may use it next, so a handler that interrupts another handler takes the next slot.
//
// Thread:    push() from any and from signal handlers; drain() from one.
class SignalQueue {
 public:
  static constexpr std::size_t kCapacity = 64;
  static constexpr std::size_t kInline = 32;  // bytes of a closure

  SignalQueue() noexcept {
    for (std::uint32_t i = 0; i < kCapacity; ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
  }

  // False if kCapacity closures wait already. The closure is copied byte for byte.
  template <class Function>
  bool push(const Function& function) noexcept {
    static_assert(std::is_trivially_copyable_v<Function> && std::is_trivially_destructible_v<Function>,
                  "a signal handler can hand over plain values only: capture pointers and numbers");
    static_assert(sizeof(Function) <= kInline && alignof(Function) <= alignof(std::max_align_t));
    std::uint32_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Slot& slot = slots_[at % kCapacity];
      const auto behind = static_cast<std::int32_t>(slot.turn.load(std::memory_order_acquire) - at);
      if (behind < 0) return false;
      if (behind > 0) {
        at = tail_.load(std::memory_order_relaxed);
      } else if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
        std::memcpy(slot.closure, &function, sizeof function);
        slot.invoke = [](void* closure) { (*static_cast<Function*>(closure))(); };
        slot.turn.store(at + 1, std::memory_order_release);
        return true;
      }
    }
  }

  // Calls `run` with a `void()` for each closure in the queue, oldest first.
  template <class Run>
  void drain(Run&& run) {
    for (;;) {
      Slot& slot = slots_[head_ % kCapacity];
      if (slot.turn.load(std::memory_order_acquire) != head_ + 1) return;
      alignas(std::max_align_t) std::byte closure[kInline];
      std::memcpy(closure, slot.closure, kInline);
      const auto invoke = slot.invoke;
      slot.turn.store(head_ + kCapacity, std::memory_order_release);
      ++head_;
      run([&] { invoke(closure); });
    }
  }

 private:
  struct Slot {
    std::atomic<std::uint32_t> turn;
    void (*invoke)(void* closure);
    alignas(std::max_align_t) std::byte closure[kInline];
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  std::array<Slot, kCapacity> slots_;
  std::atomic<std::uint32_t> tail_ = 0;
  std::uint32_t head_ = 0;
};

}  // namespace squall
