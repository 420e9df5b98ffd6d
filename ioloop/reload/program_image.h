#pragma once

#include <string>
#include <vector>

namespace squall {

// How this process was started, to start it again.
//
// Result:    the path of the executable, its arguments with argv[0], the environment of its start
//            (`NAME=value`), and the shared libraries that are loaded, except those of the system's folders.
//            The path is empty where the system does not tell it: such a process cannot be executed again.
//
// The build selects one of two sources: one for /proc of Linux, one for other systems.
struct ProgramImage {
  static ProgramImage of_this_process();

  std::string path;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<std::string> libraries;
};

// Whether `path` is another file than the one that this process runs, as far as the system tells.
bool is_replaced(const std::string& path) noexcept;

// The reason why `path` cannot be executed now, such as `it is open for writing`; empty if it can. Linkers
// and copying programs leave a file incomplete for a while.
std::string obstacle_to_execution(const std::string& path);

// The same for a shared library, which needs no permission to be executed.
std::string obstacle_to_loading(const std::string& path);

namespace detail {

// Whether a process has the file open for writing, as far as the system tells: execve() fails then (ETXTBSY).
bool is_open_for_writing(const std::string& path) noexcept;

}  // namespace detail

}  // namespace squall
