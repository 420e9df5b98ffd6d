#pragma once

#include <sys/types.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace squall {

// A program to run, and how.
struct ProcessRequest {
  static constexpr int kInherit = -1;  // what we have under that number
  static constexpr int kNull = -2;     // /dev/null
  static constexpr int kStdOut = -3;   // for standard error: where standard output goes

  std::vector<std::string> argv;  // the first is looked up in our PATH unless it has a slash
  std::optional<std::map<std::string, std::string>> environment;  // none: ours
  std::string directory;                                          // empty: ours
  std::array<int, 3> stdio{kInherit, kInherit, kInherit};  // descriptors that are borrowed, or the above
};

// Runs it in a child process and returns that one's id: by then the program has begun. Its signals are
// unblocked, and none is ignored or handled.
//
// Throws std::invalid_argument if there is no program name, or an argument or variable that the system cannot
// pass on; std::system_error with the reason if the program cannot be run, and then no child is left behind.
pid_t start_process(const ProcessRequest& request);

}  // namespace squall
