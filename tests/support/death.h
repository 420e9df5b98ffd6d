#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

namespace squall::testing {

// The text on stderr of a function that ends its process by abort(): it runs in a child process. If the
// process ends otherwise, the result says how.
template <class Function>
std::string last_words_of(Function function) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  OwnedFd out(ends[0]);
  OwnedFd in(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGABRT, SIG_DFL);  // the test framework's handler would report a failed test
    ::dup2(in.get(), STDERR_FILENO);
    ::alarm(20);
    function();
    ::_exit(0);
  }
  in.reset();
  std::string said;
  char piece[1024];
  for (ssize_t got = 0; (got = ::read(out.get(), piece, sizeof piece)) > 0;)
    said.append(piece, static_cast<std::size_t>(got));
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) return said;
  return "not aborted, but ended with status " + std::to_string(status) + ": " + said;
}

}  // namespace squall::testing
