#pragma once

#include <optional>

namespace squall {

// How many processors this process can keep busy, at least 1: what its affinity mask has, but no more than
// its cgroup's quota of processor time, rounded up (PRC-01). Asks the system at every call.
int cpu_count();

namespace detail {

// How many processors the affinity mask has; 0 where the system does not tell.
int affinity_count() noexcept;

// The answer, from what the system said: processors by affinity and by sysconf(), 0 or less for those it did
// not tell, and the quota in processors, if there is one.
int choose_cpu_count(int by_affinity, long by_sysconf, std::optional<double> quota);

}  // namespace detail
}  // namespace squall
