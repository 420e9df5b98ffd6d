#pragma once

#include <squall/ioloop/reload/file_watcher.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace squall::tools {

// Tells the outputs of a build command in watched folders from the sources that somebody edits while it runs:
// a source needs another build, and an output must not start one, because each build writes it.
//
// The executable and files that are new after a build are outputs. Another file that has changed during a
// build may be either, so it needs one more build; if it changes during kBuildsOfAnOutput builds in a row, it
// is an output. An output that changes while no build runs is a source again. So a build with unchanged
// sources is followed by at most kBuildsOfAnOutput - 1 others.
class BuildOutputs {
 public:
  static constexpr int kBuildsOfAnOutput = 3;

  explicit BuildOutputs(const std::string& executable);

  // Removes the executable from the paths of a change while no build runs.
  void note_between_builds(std::vector<std::string>& paths);
  // The paths that need another build.
  std::vector<std::string> sources_of(const FileWatcher::Changes& during_build);

 private:
  std::string executable_;
  std::set<std::string> outputs_;
  std::map<std::string, int> doubtful_;  // the builds in a row during which the file has changed
};

}  // namespace squall::tools
