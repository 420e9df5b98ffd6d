#pragma once

#include <squall/ioloop/poller/poller.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace squall {

// The function that the loop calls when a descriptor is ready. Exceptions from it are logged.
struct EventHandler {
  void (*function)(void* context, Events events) = nullptr;
  void* context = nullptr;
};

// The handler of each registered descriptor. Dispatch is an index and a call. Each registration has a
// generation: if a descriptor is closed and its number reused within one batch, events of the old
// registration are dropped (IOL-36).
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the poller. Descriptors must be removed before they are closed.
class DescriptorTable {
 public:
  explicit DescriptorTable(Poller& poller) noexcept : poller_(poller) {}

  // Throws std::invalid_argument if `fd` is registered already or negative (IOL-32), std::system_error if
  // the poller refuses it; then nothing has changed.
  void add(int fd, Events events, EventHandler handler);
  // Throws std::invalid_argument if `fd` is not registered. No system call if nothing changes.
  void update(int fd, Events events);
  // Replaces the handler of `fd`, which must be registered; the events stay the same.
  void set_handler(int fd, EventHandler handler) noexcept {
    entries_[static_cast<std::size_t>(fd)].handler = handler;
  }
  // Calls the handler of `fd`, which must be registered, as if `events` had occurred.
  void call(int fd, Events events) {
    const EventHandler handler = entries_[static_cast<std::size_t>(fd)].handler;
    handler.function(handler.context, events);
  }
  // Returns the removed handler. Events of `fd` that are not dispatched yet are dropped. Descriptors that are
  // not registered are ignored (IOL-33).
  EventHandler remove(int fd) noexcept;
  // Empty if `fd` is not registered.
  EventHandler handler_of(int fd) const noexcept {
    return fd >= 0 && static_cast<std::size_t>(fd) < entries_.size()
               ? entries_[static_cast<std::size_t>(fd)].handler
               : EventHandler();
  }
  std::size_t size() const noexcept { return count_; }
  // Registered descriptors are smaller.
  int bound() const noexcept { return static_cast<int>(entries_.size()); }

  // Calls `run` with the handler and the events that it is registered for. Does nothing without such
  // events, or if the registration was removed.
  template <class Run>
  void dispatch(const Ready& ready, Run&& run) {
    const Entry& entry = entries_[static_cast<std::size_t>(ready.fd)];
    if (entry.generation != ready.generation || !entry.handler.function) return;
    const Events wanted = ready.events & entry.events;
    if (wanted == Events::none) return;
    run(entry.handler, wanted);
  }

 private:
  struct Entry {
    EventHandler handler;
    std::uint32_t generation = 0;
    Events events = Events::none;
  };

  Entry* find(int fd) noexcept;

  Poller& poller_;
  std::vector<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace squall
