#include <squall/http/client/host_table.h>

#include <algorithm>

namespace squall::http {

ClientHost& HostTable::host(std::string_view key) {
  const auto found = hosts_.find(key);
  if (found != hosts_.end()) return found->second;
  if (hosts_.size() >= sweep_at_) {
    std::erase_if(hosts_, [](const auto& entry) { return !entry.second.in_use(); });
    sweep_at_ = std::max(kLeastSweep, 2 * hosts_.size());
  }
  return hosts_.try_emplace(std::string(key)).first->second;
}

}  // namespace squall::http
