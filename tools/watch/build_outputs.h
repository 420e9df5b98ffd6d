#pragma once

#include <squall/ioloop/reload/file_watcher.h>

#include <set>
#include <string>
#include <vector>

namespace squall::tools {

// Tells the outputs of a build command in watched folders from the sources that somebody edits while it runs:
// a source needs another build, and an output must not start one, because each build writes it.
//
// The executable and files that are new after a build are outputs. Another file that has changed during a
// build may be either, so it needs one more build; if it changes during a build again, it is an output. An
// output that changes while no build runs is a source again. So a build with unchanged sources is followed by
// at most one more.
class BuildOutputs {
 public:
  explicit BuildOutputs(const std::string& executable);

  // Removes the executable from the paths of a change while no build runs.
  void note_between_builds(std::vector<std::string>& paths);
  // The paths that need another build.
  std::vector<std::string> sources_of(const FileWatcher::Changes& during_build);

 private:
  std::string executable_;
  std::set<std::string> outputs_;
  std::set<std::string> doubtful_;  // have changed during one build
};

}  // namespace squall::tools
