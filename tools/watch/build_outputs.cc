#include "watch/build_outputs.h"

#include <squall/ioloop/base/log.h>

#include <filesystem>
#include <utility>

namespace squall::tools {

// The paths of a FileWatcher have this form.
BuildOutputs::BuildOutputs(const std::string& executable)
    : executable_(std::filesystem::absolute(executable).lexically_normal().string()) {}

void BuildOutputs::note_between_builds(std::vector<std::string>& paths) {
  std::erase(paths, executable_);
  for (const std::string& path : paths) {
    outputs_.erase(path);
    doubtful_.erase(path);
  }
}

std::vector<std::string> BuildOutputs::sources_of(const FileWatcher::Changes& during_build) {
  outputs_.insert(during_build.added.begin(), during_build.added.end());
  std::vector<std::string> sources;
  std::map<std::string, int> before = std::exchange(doubtful_, {});
  for (const std::string& path : during_build.changed) {
    if (path == executable_ || outputs_.contains(path)) continue;
    const int builds = before[path] + 1;
    if (builds < kBuildsOfAnOutput) {
      doubtful_[path] = builds;
      sources.push_back(path);
    } else {
      outputs_.insert(path);
      log::general().info("{} changes during each build: such a change starts no other", path);
    }
  }
  return sources;
}

}  // namespace squall::tools
