#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace squall::tools {

// Starts a program in a child process, with listening sockets as systemd passes them (sd_listen_fds(3)):
// descriptors from 3 on, with LISTEN_FDS and LISTEN_PID; and with SQUALL_WATCH=1.
//
// Result:    the id of the child, which has begun to run the program.
// Thread:    the process has no other thread, because it forks.
// Errors:    std::system_error with the system's reason if the program cannot be run, and then there is no
//            child.
pid_t start_program(const std::vector<std::string>& arguments, const std::vector<int>& sockets);

// Starts a command for the shell in a child process that leads a process group of its own. Its stdin is
// /dev/null, and `output` is its stdout and its stderr. Thread and errors: as start_program().
pid_t start_build(const std::string& command, int output);

}  // namespace squall::tools
