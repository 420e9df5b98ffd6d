#include "watch/start_program.h"

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/signal_set.h>
#include <squall/iostream/socket/listen_fds.h>
#include <squall/iostream/socket/pipe.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace squall::tools {
namespace {

// In the child. False with errno.
bool pass_sockets(const std::vector<int>& sockets) {
  // Copies behind the numbers of the targets, so that no target overwrites a socket.
  std::vector<int> copies;
  for (const int socket : sockets)
    copies.push_back(::fcntl(socket, F_DUPFD_CLOEXEC, kFirstListenFd + static_cast<int>(sockets.size())));
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (copies[i] < 0 || ::dup2(copies[i], kFirstListenFd + static_cast<int>(i)) < 0) return false;
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  ::setenv("SQUALL_WATCH", "1", 1);
  if (sockets.empty()) return true;
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
  return true;
}

// In the child. False with errno.
bool redirect(int output) {
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return null >= 0 && ::dup2(null, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
         ::dup2(output, STDERR_FILENO) >= 0 && ::setpgid(0, 0) == 0;
}

// In the child. Returns errno if the program cannot be run.
template <class Prepare>
int run(const std::vector<std::string>& arguments, Prepare prepare) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  if (!prepare()) return errno;
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  const sigset_t none = signal_set();
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(pointers[0], pointers.data());
  return errno;
}

// `lowest`: of the descriptors that `prepare` leaves alone.
template <class Prepare>
pid_t start(const std::vector<std::string>& arguments, int lowest, Prepare prepare) {
  // The child writes the reason if it cannot run the program. Otherwise execvp() closes the pipe.
  Pipe pipe = make_pipe();
  // The child moves its end away from the numbers of the sockets.
  OwnedFd report(::fcntl(pipe.write.get(), F_DUPFD_CLOEXEC, lowest));
  if (!report) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
  pipe.write.reset();
  const pid_t pid = ::fork();
  if (pid < 0) throw_errno("fork");
  if (pid == 0) {
    const int error = run(arguments, prepare);
    [[maybe_unused]] const ssize_t written = ::write(report.get(), &error, sizeof error);
    ::_exit(127);
  }
  report.reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(pipe.read.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof error) return pid;
  ::waitpid(pid, nullptr, 0);
  throw std::system_error(error, std::generic_category(), fmt::format("cannot run {}", arguments[0]));
}

}  // namespace

pid_t start_program(const std::vector<std::string>& arguments, const std::vector<int>& sockets) {
  const int lowest = kFirstListenFd + static_cast<int>(sockets.size());
  return start(arguments, lowest, [&] { return pass_sockets(sockets); });
}

pid_t start_build(const std::string& command, int output) {
  return start({"/bin/sh", "-c", command}, kFirstListenFd, [&] { return redirect(output); });
}

}  // namespace squall::tools
