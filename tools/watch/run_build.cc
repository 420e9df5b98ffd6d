#include "watch/run_build.h"

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/process/child_watcher.h>
#include <squall/ioloop/sync/event.h>
#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/stream/iostream.h>

#include <signal.h>

#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>

#include "watch/start_program.h"

namespace squall::tools {
namespace {

// For the output that is in the pipe when the shell ends.
constexpr std::chrono::milliseconds kDrainTime{200};

class Group {
 public:
  explicit Group(pid_t leader) : leader_(leader) {}
  ~Group() {
    if (leader_ > 0) ::kill(-leader_, SIGTERM);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  pid_t leader() const noexcept { return leader_; }
  // The leader has ended.
  void release() noexcept { leader_ = 0; }

 private:
  pid_t leader_;
};

Task<> copy(IOStream& stream, std::string& output, Event& has_ended) {
  for (;;) {
    const std::string_view piece = co_await stream.read_some();
    if (piece.empty()) break;
    std::fwrite(piece.data(), 1, piece.size(), stderr);
    output.append(piece.substr(0, kMostOutput - output.size()));
  }
  has_ended.set();
}

}  // namespace

Task<BuildResult> run_build(std::string command) {
  Pipe pipe = make_pipe();
  Group group(start_build(command, pipe.write.get()));
  pipe.write.reset();
  IOStream stream(std::move(pipe.read));
  BuildResult result;
  Event has_ended;
  TaskGroup reading;
  reading.add(copy(stream, result.output, has_ended));
  const ChildWatcher child(group.leader());
  const int returncode = co_await child.wait();
  result.returncode = returncode;
  group.release();
  try {
    co_await has_ended.wait(kDrainTime);
  } catch (const TimeoutError&) {
    // The rest is not of the build.
  }
  co_return result;
}

}  // namespace squall::tools
