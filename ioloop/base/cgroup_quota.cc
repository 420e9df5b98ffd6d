#include <squall/ioloop/base/cgroup_quota.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

namespace squall::detail {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool lists(std::string_view list, std::string_view name) {
  const std::vector<std::string_view> names = split(list, ',');
  return std::find(names.begin(), names.end(), name) != names.end();
}

// In mountinfo a space is \040, and so on.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '\\' && text.size() - i > 3 &&
        std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

struct Mount {
  std::string root;   // the cgroup that is mounted at `point`
  std::string point;  // the mount point
  bool is_v2;
};

// `36 35 0:31 /root /point rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct`, with any number of
// optional fields before the dash.
std::vector<Mount> cpu_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() < 10) continue;
    const auto dash = std::find(fields.begin() + 6, fields.end(), "-");
    if (fields.end() - dash < 4) continue;
    const bool is_v2 = dash[1] == "cgroup2";
    if (is_v2 || (dash[1] == "cgroup" && lists(dash[3], "cpu")))
      mounts.push_back({unescaped(fields[3]), unescaped(fields[4]), is_v2});
  }
  return mounts;
}

// The path of `group` below the mount point: empty, or with a slash before each name. A group outside of the
// container is not mounted, so the root of the mount is used.
std::string_view below(const Mount& mount, std::string_view group) {
  const std::string_view root = mount.root == "/" ? std::string_view() : std::string_view(mount.root);
  if (!group.starts_with(root)) return {};
  group.remove_prefix(root.size());
  if (group == "/" || !group.starts_with('/') || group.find("/..") != group.npos) return {};
  return group;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

// "max" and -1 mean no limit.
std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const auto time = number(quota);
  const auto of = number(period);
  if (!time || !of || *time <= 0 || *of <= 0) return std::nullopt;
  return static_cast<double>(*time) / static_cast<double>(*of);
}

std::optional<double> quota_of(const std::string& folder, bool is_v2, const FileReader& read) {
  if (is_v2) {
    const auto max = read(folder + "/cpu.max");
    if (!max) return std::nullopt;
    const std::vector<std::string_view> fields = split(*max, ' ');
    return fields.size() == 2 ? ratio(fields[0], fields[1]) : std::nullopt;
  }
  const auto quota = read(folder + "/cpu.cfs_quota_us");
  const auto period = read(folder + "/cpu.cfs_period_us");
  return quota && period ? ratio(*quota, *period) : std::nullopt;
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<double> cgroup_quota(const FileReader& read) {
  const auto groups = read("/proc/self/cgroup");
  const auto mountinfo = read("/proc/self/mountinfo");
  if (!groups || !mountinfo) return std::nullopt;
  const std::vector<Mount> mounts = cpu_mounts(*mountinfo);
  std::optional<double> least;
  // `4:cpu,cpuacct:/user.slice` in v1, `0::/user.slice` in v2.
  for (const std::string_view line : split(*groups, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && !lists(controllers, "cpu")) continue;
    for (const Mount& mount : mounts) {
      if (mount.is_v2 != is_v2) continue;
      std::string_view group = below(mount, line.substr(second + 1));
      for (;;) {
        const auto quota = quota_of(mount.point + std::string(group), is_v2, read);
        if (quota && (!least || *quota < *least)) least = quota;
        if (group.empty()) break;
        group = group.substr(0, group.rfind('/'));
      }
    }
  }
  return least;
}

}  // namespace squall::detail
