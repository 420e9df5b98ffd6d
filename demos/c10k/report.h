#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "latencies.h"

// The lines that the processes write to the one that started them, one a second.
namespace c10k {

struct ServerReport {
  std::uint64_t open = 0;      // connections
  std::uint64_t messages = 0;  // sent back since the start
  std::uint64_t resident = 0;  // bytes of memory
  std::uint64_t empty = 0;     // bytes of memory before the first connection
  std::uint64_t cpu = 0;       // microseconds of processor time since the start

  std::string to_string() const;
  static std::optional<ServerReport> parse(std::string_view line);
};

struct ClientReport {
  std::uint64_t open = 0;      // connections
  std::uint64_t failed = 0;    // attempts to connect
  std::uint64_t lost = 0;      // connections that ended
  std::uint64_t received = 0;  // messages since the start
  Latencies latencies{};       // since the last report

  std::string to_string() const;
  static std::optional<ClientReport> parse(std::string_view line);
};

}  // namespace c10k
