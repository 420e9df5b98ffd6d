#pragma once

#include <squall/ioloop/loop/task.h>

#include <cstddef>
#include <string>

namespace squall::tools {

struct BuildResult {
  int returncode = 0;  // as of ChildWatcher
  std::string output;  // of stdout and stderr, the first kMostOutput bytes
};

// The most output of a build that the page shows: the first errors are the ones to mend.
inline constexpr std::size_t kMostOutput = 64 * 1024;

// Runs a command for the shell, in a process group of its own, and copies its output to stderr. The build
// ends with the shell: a daemon that the command has started, such as a compiler server, may keep the output
// open.
//
// Lifetime:  dropping the task sends SIGTERM to the group.
// Errors:    std::system_error if the shell cannot be run.
Task<BuildResult> run_build(std::string command);

}  // namespace squall::tools
