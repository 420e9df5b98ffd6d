#pragma once

#include <optional>

namespace squall {

// The number of processors that this process can keep busy, at least 1: the size of its affinity mask,
// limited by its cgroup's quota of processor time, rounded up (PRC-01). Asks the system at every call.
//
// Thread:    any.
int cpu_count();

namespace detail {

// The number of processors of the affinity mask; 0 if the system does not provide it.
int affinity_count() noexcept;

// Computes cpu_count() from the processors by affinity and by sysconf(), 0 or less if the system does not
// provide them, and the quota in processors, if there is one.
int choose_cpu_count(int by_affinity, long by_sysconf, std::optional<double> quota);

}  // namespace detail
}  // namespace squall
