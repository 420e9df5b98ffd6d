#include <squall/ioloop/loop/descriptor_table.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall {

DescriptorTable::Entry* DescriptorTable::find(int fd) noexcept {
  if (fd < 0 || static_cast<std::size_t>(fd) >= entries_.size()) return nullptr;
  Entry& entry = entries_[static_cast<std::size_t>(fd)];
  return entry.handler.function ? &entry : nullptr;
}

void DescriptorTable::add(int fd, Events events, EventHandler handler) {
  if (fd < 0) throw std::invalid_argument(fmt::format("fd {} cannot be watched", fd));
  const auto index = static_cast<std::size_t>(fd);
  // Descriptors are dense: the kernel hands out the lowest free number.
  if (index >= entries_.size())
    entries_.resize(std::max(index + 1, entries_.size() + entries_.size() / 4 + 64));
  Entry& entry = entries_[index];
  if (entry.handler.function) throw std::invalid_argument(fmt::format("fd {} added twice", fd));
  const std::uint32_t generation = entry.generation + 1;
  if (events != Events::none) poller_.update(fd, generation, Events::none, events);
  entry = Entry{handler, generation, events};
  ++count_;
}

void DescriptorTable::update(int fd, Events events) {
  Entry* entry = find(fd);
  if (!entry) throw std::invalid_argument(fmt::format("fd {} is not registered", fd));
  if (entry->events == events) return;
  poller_.update(fd, entry->generation, entry->events, events);
  entry->events = events;
}

EventHandler DescriptorTable::remove(int fd) noexcept {
  Entry* entry = find(fd);
  if (!entry) return {};
  if (entry->events != Events::none) {
    try {
      poller_.update(fd, entry->generation, entry->events, Events::none);
    } catch (const std::exception&) {
      // The descriptor was closed before it was removed, so the kernel has removed it already. std::bad_alloc
      // if there is no memory for that error.
    }
  }
  entry->events = Events::none;
  --count_;
  return std::exchange(entry->handler, {});
}

}  // namespace squall
