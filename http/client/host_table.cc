#include <squall/http/client/host_table.h>

#include <algorithm>

namespace squall::http {

ClientHost& HostTable::host(std::string_view key) {
  if (last_ && last_->first == key) return last_->second;
  const auto found = hosts_.find(key);
  if (found != hosts_.end()) return (last_ = &*found)->second;
  if (hosts_.size() >= sweep_at_) {
    last_ = nullptr;
    std::erase_if(hosts_, [](const auto& entry) { return !entry.second.in_use(); });
    sweep_at_ = std::max(kLeastSweep, 2 * hosts_.size());
  }
  last_ = &*hosts_.try_emplace(std::string(key)).first;
  return last_->second;
}

}  // namespace squall::http
