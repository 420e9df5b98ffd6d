#pragma once

#include <sys/types.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace squall {

// A program to run, with its arguments, environment, directory and descriptors.
struct ProcessRequest {
  static constexpr int kInherit = -1;  // the descriptor of this process with the same number
  static constexpr int kNull = -2;     // /dev/null
  static constexpr int kStdOut = -3;   // for standard error: the target of standard output

  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
  std::optional<std::map<std::string, std::string>> environment;  // nullopt: this process's
  std::string directory;                                          // empty: this process's
  std::array<int, 3> stdio{kInherit, kInherit, kInherit};  // borrowed descriptors, or the constants above
};

// Runs a program in a child process, with all signals unblocked and at their defaults.
//
// Result:    the id of the child, which has begun to run the program.
// Errors:    std::invalid_argument for an empty argv, or an argument or variable with a NUL in it;
//            std::system_error with the reason if the program cannot be run, and then there is no child.
pid_t start_process(const ProcessRequest& request);

}  // namespace squall
