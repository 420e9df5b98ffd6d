#pragma once

#include <squall/ioloop/poller/poller.h>

#include <memory>
#include <span>
#include <string_view>

namespace squall::detail {

struct PollerEntry {
  std::string_view name;
  PollerFactory make;
};

template <class P>
std::unique_ptr<Poller> make_poller_of() {
  return std::make_unique<P>();
}

// The system's pollers, best first. Meson generates the table from poller_table.cc.in.
std::span<const PollerEntry> system_pollers() noexcept;

}  // namespace squall::detail
