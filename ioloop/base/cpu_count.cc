#include <squall/ioloop/base/cpu_count.h>

#include <squall/ioloop/base/cgroup_quota.h>
#include <squall/ioloop/base/log.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace squall {

int cpu_count() {
  return detail::choose_cpu_count(detail::affinity_count(), ::sysconf(_SC_NPROCESSORS_ONLN),
                                  detail::cgroup_quota(detail::read_file));
}

int detail::choose_cpu_count(int by_affinity, long by_sysconf, std::optional<double> quota) {
  long count = by_affinity > 0 ? by_affinity : by_sysconf;
  if (count <= 0) {
    log::general().error("Could not detect number of processors; assuming 1");
    count = 1;
  }
  // Rounded up: half a processor keeps one thread busy, one and a half keep two.
  if (quota && *quota < static_cast<double>(count)) count = std::lround(std::ceil(*quota));
  return static_cast<int>(std::max(count, 1L));
}

}  // namespace squall
