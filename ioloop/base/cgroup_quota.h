#pragma once

#include <functional>
#include <optional>
#include <string>

namespace squall::detail {

// The contents of a file; nullopt if it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
std::optional<std::string> read_file(const std::string& path);

// The quota of processor time of this process's cgroup, in processors: the smallest quota of the cgroup and
// its parents, from cpu.max (cgroup v2) or cpu.cfs_quota_us (v1). nullopt if there is no limit or no cgroup.
//
// Source: cgroups(7), proc(5) for /proc/self/cgroup and /proc/self/mountinfo, and the kernel's
// Documentation/admin-guide/cgroup-v2.rst and Documentation/scheduler/sched-bwc.rst.
std::optional<double> cgroup_quota(const FileReader& read);

}  // namespace squall::detail
