#pragma once

#include <squall/http/client/admission_queue.h>
#include <squall/http/client/idle_cache.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace squall::http {

// The hosts of a client: requests whose keys are equal can share connections.
struct ClientHost {
  bool in_use() const noexcept { return slots.in_use() || connections.in_use(); }

  AdmissionQueue::Host slots;
  IdleCache::Host connections;
};

// Finds the hosts of a client by their keys. Unused hosts are removed from time to time, so that the table
// has at most twice as many hosts as were ever in use at once.
//
// Thread:    the loop's thread only.
// Lifetime:  a host stays at its address while it is in use.
class HostTable {
 public:
  ClientHost& host(std::string_view key);
  std::size_t size() const noexcept { return hosts_.size(); }

 private:
  static constexpr std::size_t kLeastSweep = 16;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>()(key); }
  };

  using Hosts = std::unordered_map<std::string, ClientHost, Hash, std::equal_to<>>;

  Hosts hosts_;
  Hosts::value_type* last_ = nullptr;   // as many programs fetch from one host again and again
  std::size_t sweep_at_ = kLeastSweep;  // size at which unused hosts are removed
};

}  // namespace squall::http
