#include <squall/ioloop/base/cpu_count.h>

#include <squall/ioloop/base/cgroup_quota.h>

#include <sched.h>

#include <map>
#include <string>

#include "support/platform.h"
#include "support/test_loop.h"

namespace squall::cpu_count_test {
namespace {

using detail::cgroup_quota;
using detail::choose_cpu_count;
using testing::LogCapture;

using Files = std::map<std::string, std::string>;

std::optional<double> quota_in(const Files& files) {
  return cgroup_quota([&files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  });
}

const std::string kV2Mount =
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kV1Mount =
    "20 1 0:3 / /proc rw - proc proc rw\n"
    "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 23 0:28 / /sys/fs/cgroup/memory rw,relatime shared:10 - cgroup cgroup rw,memory\n";

TEST_CASE("this machine has processors", "[cpu_count]") {
  CHECK(cpu_count() >= 1);
  if (testing::kHasAffinity) CHECK(detail::affinity_count() >= cpu_count());
}

TEST_CASE("a narrower affinity mask is respected", "[cpu_count]") {
  if (!testing::kHasAffinity) return;
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(cpu_count() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}

TEST_CASE("the quota limits the count, rounded up, and never below 1", "[cpu_count]") {
  CHECK(choose_cpu_count(8, 16, std::nullopt) == 8);
  CHECK(choose_cpu_count(8, 16, 2.0) == 2);
  CHECK(choose_cpu_count(8, 16, 1.5) == 2);
  CHECK(choose_cpu_count(8, 16, 0.1) == 1);
  CHECK(choose_cpu_count(8, 16, 64.0) == 8);
  CHECK(choose_cpu_count(8, 16, 7.5) == 8);
}

TEST_CASE("without an affinity mask sysconf is used, and without sysconf 1 is assumed and logged (PRC-01)",
          "[cpu_count]") {
  LogCapture log;
  CHECK(choose_cpu_count(0, 16, std::nullopt) == 16);
  CHECK(log.empty());
  CHECK(choose_cpu_count(0, -1, std::nullopt) == 1);
  const auto line = log.expect("Could not detect number of processors; assuming 1");
  CHECK(line.logger == "squall.general");
}

TEST_CASE("cgroup v2: the least cpu.max of the group and its parents", "[cpu_count]") {
  Files files{{"/proc/self/cgroup", "0::/user.slice/app.scope\n"}, {"/proc/self/mountinfo", kV2Mount}};
  CHECK_FALSE(quota_in(files));
  files["/sys/fs/cgroup/user.slice/app.scope/cpu.max"] = "max 100000\n";
  CHECK_FALSE(quota_in(files));
  files["/sys/fs/cgroup/user.slice/cpu.max"] = "250000 100000\n";
  CHECK(quota_in(files) == 2.5);
  files["/sys/fs/cgroup/user.slice/app.scope/cpu.max"] = "50000 100000\n";
  CHECK(quota_in(files) == 0.5);
  files["/sys/fs/cgroup/user.slice/app.scope/cpu.max"] = "400000 100000\n";
  CHECK(quota_in(files) == 2.5);
  files["/sys/fs/cgroup/cpu.max"] = "100000 100000\n";  // the top group, which has a limit too in a container
  CHECK(quota_in(files) == 1.0);
}

TEST_CASE("cgroup v1: cpu.cfs_quota_us of the hierarchy that has cpu", "[cpu_count]") {
  Files files{{"/proc/self/cgroup", "5:memory:/elsewhere\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/x\n"},
              {"/proc/self/mountinfo", kV1Mount}};
  const std::string folder = "/sys/fs/cgroup/cpu,cpuacct/docker";
  files["/sys/fs/cgroup/memory/elsewhere/cpu.cfs_quota_us"] = "1";
  files["/sys/fs/cgroup/memory/elsewhere/cpu.cfs_period_us"] = "100000";
  files[folder + "/0123/cpu.cfs_quota_us"] = "-1\n";
  files[folder + "/0123/cpu.cfs_period_us"] = "100000\n";
  CHECK_FALSE(quota_in(files));
  files[folder + "/cpu.cfs_quota_us"] = "300000\n";
  CHECK_FALSE(quota_in(files));
  files[folder + "/cpu.cfs_period_us"] = "200000\n";
  CHECK(quota_in(files) == 1.5);
}

TEST_CASE("in a container the group is below the mounted root, or the root is used", "[cpu_count]") {
  Files files{{"/proc/self/cgroup", "0::/docker/0123/inner\n"}};
  files["/proc/self/mountinfo"] = "29 23 0:26 /docker/0123 /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
  files["/sys/fs/cgroup/inner/cpu.max"] = "300000 100000";
  CHECK(quota_in(files) == 3.0);
  files["/sys/fs/cgroup/cpu.max"] = "200000 100000";
  CHECK(quota_in(files) == 2.0);
  files["/proc/self/cgroup"] = "0::/docker/0123\n";
  CHECK(quota_in(files) == 2.0);
  for (const char* outside : {"0::/docker/01234/inner\n", "0::/../other\n", "0::/elsewhere\n", "0::/\n"}) {
    CAPTURE(outside);
    files["/proc/self/cgroup"] = outside;
    CHECK(quota_in(files) == 2.0);
  }
}

TEST_CASE("a mount point with a space in its name is found", "[cpu_count]") {
  CHECK(quota_in({{"/proc/self/cgroup", "0::/\n"},
                  {"/proc/self/mountinfo", "29 23 0:26 / /my\\040cgroups rw - cgroup2 cgroup2 rw\n"},
                  {"/my cgroups/cpu.max", "200000 100000\n"}}) == 2.0);
}

TEST_CASE("files with other contents are no limit", "[cpu_count]") {
  CHECK_FALSE(quota_in({}));
  CHECK_FALSE(quota_in({{"/proc/self/cgroup", ""}, {"/proc/self/mountinfo", ""}}));
  CHECK_FALSE(quota_in({{"/proc/self/cgroup", "no colons\n1:one\n::\n"},
                        {"/proc/self/mountinfo", "a b c\n1 2 3 4 5 6 7 8 9 - cgroup2\n" + kV2Mount}}));
  for (const char* content :
       {"", "max", "-5 100000", "5", "100000 0", "100000 -1", "100000 x", "a b", "1 2 3"}) {
    CAPTURE(content);
    CHECK_FALSE(quota_in({{"/proc/self/cgroup", "0::/\n"},
                          {"/proc/self/mountinfo", kV2Mount},
                          {"/sys/fs/cgroup/cpu.max", content}}));
  }
}

}  // namespace
}  // namespace squall::cpu_count_test
