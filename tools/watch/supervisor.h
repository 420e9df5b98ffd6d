#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/process/child_watcher.h>
#include <squall/ioloop/reload/file_watcher.h>
#include <squall/ioloop/sync/event.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "watch/build_outputs.h"
#include "watch/status_page.h"

namespace squall::tools {

// The options of squall-watch: see its command line.
struct WatchOptions {
  std::vector<std::string> program;  // with its arguments; argv[0] is looked up in PATH unless it has a slash
  std::vector<std::string> paths;    // watched besides the executable
  std::string build;                 // a command for the shell; empty: none
  bool until_success = false;
  TimeSpan grace = std::chrono::seconds(5);  // between SIGTERM and SIGKILL
  FileWatcher::How how = FileWatcher::How::notices;
};

// Runs a program, and starts it again when files change (ARL-07).
//
// state    | waits for                    | next
// building | the end of the build command | running if it succeeds, otherwise idle
// running  | a change                     | building, or stopping without a build command
//          | the end of the program       | idle, or the end after success with `until_success`
// idle     | a change                     | building, or running without a build command
// stopping | the end of the program       | running, idle after a failed build, or the end
//
// While a build runs, so does the program; it is stopped after the build. A change of a source during a build
// starts the next one (BuildOutputs), and gives the source the time behind the build: the compiler may have
// read the file before. Without a program the status page says why, and also to clients of a program that
// has accepted nobody within kUntaken. SIGINT, SIGTERM and SIGHUP are
// passed on to the program, and end the supervisor after it. SIGUSR1 and SIGUSR2 are passed on.
//
// Thread:    the loop's thread; the process has no other.
// Lifetime:  borrows the sockets. Dropping the task of run() kills the program.
class Supervisor {
 public:
  static constexpr std::chrono::seconds kUntaken{10};

  Supervisor(WatchOptions options, const std::vector<OwnedFd>& sockets);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // The exit status of squall-watch: the exit status of the program, or 128 and the number of the signal that
  // ended it.
  Task<int> run();

 private:
  void handle_signals();
  void pass_on(int signal);
  Task<> watch();
  Task<bool> build();
  Task<> note_build(std::optional<bool>& result);
  Task<std::optional<bool>> build_unless_ending();
  void note_sources();
  Task<> wait_for_event();
  bool has_waiting_client() const noexcept;
  Task<> watch_clients();
  void start();
  Task<> stop();
  int final_status() const noexcept;

  WatchOptions options_;
  const std::vector<OwnedFd>& sockets_;
  IOLoop& loop_ = IOLoop::current();
  StatusPage page_;
  FileWatcher watcher_;
  BuildOutputs outputs_;
  std::string executable_;             // empty: not watched, because the build command makes it
  Event event_;                        // a change, a signal, or the end of the program or of the build
  std::optional<ChildWatcher> child_;  // while the program runs
  std::optional<int> returncode_;      // of the last run
  std::string failure_;                // the output of the build that has failed last
  bool has_changes_ = false;
  // Of this run of the program: the first client that it has not accepted, and what became of that client.
  std::optional<IOLoop::TimePoint> waits_since_;
  bool has_accepted_ = false;
  bool has_warned_ = false;
  bool has_ended_ = false;     // the program, by itself, and the page does not say so yet
  int ending_ = 0;             // the signal that ends the supervisor
  TaskGroup watching_{loop_};  // watch(), except during a build
  TaskGroup serving_{loop_};   // watch_clients()
};

}  // namespace squall::tools
