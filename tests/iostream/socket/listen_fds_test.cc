#include <squall/iostream/socket/listen_fds.h>

#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/socket.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <functional>
#include <string>

#include "support/catch.h"

namespace squall::listen_fds_test {
namespace {

// Acts as a service manager: runs `service` in a process whose descriptors from 3 on are `count` listening
// sockets, with the variables set. Returns the output of the service.
struct Manager {
  std::string pid = "self";
  std::string fds;    // empty: not set
  std::string names;  // the same
  int count = 0;

  std::string run(const std::function<std::string()>& service) const {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const OwnedFd in(ends[0]);
    OwnedFd out(ends[1]);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(serve(service, out.get()));
    out.reset();
    std::string said;
    char buffer[1024];
    for (ssize_t got = 0; (got = ::read(in.get(), buffer, sizeof buffer)) > 0;)
      said.append(buffer, static_cast<std::size_t>(got));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    return said;
  }

 private:
  int serve(const std::function<std::string()>& service, int out) const {
    const int high = ::fcntl(out, F_DUPFD, 100);
    ListenOptions options;
    options.address = "127.0.0.1";
    for (int i = 0; i < count; ++i) {
      const int socket = bind_sockets(0, options)[0].release();
      const int far = ::fcntl(socket, F_DUPFD, 200 + i);  // the numbers from 3 on are used next
      ::close(socket);
      ::dup2(far, 3 + i);
    }
    ::close(3 + count);
    ::setenv("LISTEN_PID", pid == "self" ? std::to_string(::getpid()).c_str() : pid.c_str(), 1);
    if (!fds.empty()) ::setenv("LISTEN_FDS", fds.c_str(), 1);
    if (!names.empty()) ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
    std::string said;
    try {
      said = service();
    } catch (const std::exception& error) {
      said = error.what();
      said += std::getenv("LISTEN_FDS") ? ", and they are still there" : "";
    }
    return ::write(high, said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1;
  }
};

// Each descriptor with its name, and whether it listens and is close-on-exec; then the remaining variables.
std::string describe() {
  std::string said;
  for (const InheritedFd& inherited : listen_fds()) {
    check_listening(inherited.fd.get());
    said += fmt::format("{}={}{} ", inherited.fd.get(), inherited.name,
                        ::fcntl(inherited.fd.get(), F_GETFD) & FD_CLOEXEC ? "" : " not closed on exec");
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    if (std::getenv(variable)) said += fmt::format("{} ", variable);
  return said;
}

TEST_CASE("a service manager's descriptors are taken with their names, once", "[listen_fds]") {
  Manager manager;
  manager.count = 3;
  manager.fds = "3";
  manager.names = "http:https:";
  CHECK(manager.run(describe) == "3=http 4=https 5= ");
  CHECK(manager.run([] {
    const std::size_t first = listen_fds().size();
    return fmt::format("{}, {}", first, listen_fds().size());
  }) == "3, 0");
}

TEST_CASE("descriptors without names are `unknown`", "[listen_fds]") {
  Manager manager;
  manager.count = 2;
  manager.fds = "2";
  CHECK(manager.run(describe) == "3=unknown 4=unknown ");
}

TEST_CASE("descriptors for another process, and missing variables, give an empty result", "[listen_fds]") {
  Manager manager;
  manager.count = 1;
  manager.fds = "1";
  manager.pid = "1";
  CHECK(manager.run(describe) == "LISTEN_PID LISTEN_FDS ");
  manager.pid = "self";
  manager.fds = "";
  CHECK(manager.run(describe) == "LISTEN_PID ");
  manager.fds = "0";
  CHECK(manager.run(describe) == "");
}

TEST_CASE("variables that make no sense are an error, and nothing is taken", "[listen_fds]") {
  Manager manager;
  manager.count = 1;
  for (const std::string text : {"-1", "x", "1x", " 1", "2147483647", "99999999999999999999"}) {
    manager.fds = text;
    CHECK(manager.run(describe) ==
          "LISTEN_FDS must be a number from 0: \"" + text + "\", and they are still there");
  }
  manager.fds = "1";
  manager.pid = "me";
  CHECK(manager.run(describe) == "LISTEN_PID must be a number from 0: \"me\", and they are still there");
  manager.pid = "self";
  manager.names = "a:b";
  CHECK(manager.run(describe) ==
        "LISTEN_FDNAMES has 2 names for 1 descriptors: \"a:b\", and they are still there");
  manager.fds = "2";
  CHECK(manager.run(describe) ==
        "descriptor 4 of LISTEN_FDS=2: Bad file descriptor, and they are still there");
}

}  // namespace
}  // namespace squall::listen_fds_test
