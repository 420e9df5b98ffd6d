#pragma once

#include <squall/ioloop/process/child_watcher.h>
#include <squall/iostream/stream/iostream.h>

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace squall {

// A child process has failed: exited with another status than 0, or was killed by a signal.
class CalledProcessError : public std::runtime_error {
 public:
  CalledProcessError(const std::string& command, int returncode);
  // The exit status, or minus the number of the signal.
  int returncode() const noexcept { return returncode_; }

 private:
  int returncode_;
};

// A program that runs in a child process, with streams to talk to it.
//
//     Subprocess::Options options;
//     options.std_out = Subprocess::kStream;
//     Subprocess date({"date", "--utc"}, options);
//     const std::string line = co_await date.std_out().read_until("\n");
//     co_await date.wait_for_exit();
//
// A child that writes more than a pipe holds (64 KiB on Linux) waits until it is read: who feeds a child must
// read what it says meanwhile, in another task.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows `loop`. Destruction closes the streams and kills the child if it still runs, as dropping
//            a task ends its work; detach() lets it live. The loop reaps it in either case. Only the child
//            itself is killed, not what it has started: a shell is best told to `exec` its last command.
// Errors:    what cannot be run throws std::system_error from the constructor, with the reason of the system
//            (ENOENT, EACCES, ...), and leaves no process and no descriptor behind (PRC-10).
class Subprocess {
 public:
  // What the child gets as standard input, output or error.
  class Stdio {
   public:
    // A descriptor of ours, borrowed until the constructor returns. It is not made blocking.
    explicit constexpr Stdio(int fd) noexcept : what_(What::descriptor), fd_(fd) {}

   private:
    friend class Subprocess;
    enum class What : std::uint8_t { inherit, null, stream, std_out, descriptor };
    explicit constexpr Stdio(What what) noexcept : what_(what) {}

    What what_;
    int fd_ = -1;
  };
  static const Stdio kInherit;   // the same as ours
  static const Stdio kNull;      // /dev/null
  static const Stdio kStream;    // a pipe, whose other end is an IOStream of this object
  static const Stdio kToStdOut;  // for standard error: wherever standard output goes

  using Environment = std::map<std::string, std::string>;
  struct Options {
    Stdio std_in = Stdio(Stdio::What::inherit);
    Stdio std_out = Stdio(Stdio::What::inherit);
    Stdio std_err = Stdio(Stdio::What::inherit);
    std::optional<Environment> environment;  // none: ours
    std::string directory;                   // to run in; empty: ours
    IOStream::Options stream;                // limits of the streams
    ChildExit exit = ChildExit::automatic;   // how the loop hears of the end
  };

  // Runs the program argv[0], looked up in our PATH unless there is a slash in it, with no shell in between.
  // It has begun when this returns. Its signals are unblocked, and none is ignored. Descriptors reach it only
  // if they are not close-on-exec, and all of Squall's are.
  Subprocess(std::vector<std::string> argv, const Options& options, IOLoop& loop = IOLoop::current());
  explicit Subprocess(std::vector<std::string> argv, IOLoop& loop = IOLoop::current())
      : Subprocess(std::move(argv), Options(), loop) {}
  Subprocess(Subprocess&&) noexcept = default;
  Subprocess& operator=(Subprocess&&) = delete;
  ~Subprocess();

  // Our ends of the pipes. Throw std::logic_error if that is not what was asked for.
  IOStream& std_in() { return stream(in_, "std_in"); }  // close() or shutdown_write() ends the child's input
  IOStream& std_out() { return stream(out_, "std_out"); }
  IOStream& std_err() { return stream(err_, "std_err"); }

  pid_t pid() const noexcept { return watcher_->pid(); }
  // The exit status, or minus the number of the signal that killed it; none until the loop has reaped it
  // (PRC-11).
  std::optional<int> returncode() const noexcept { return watcher_->returncode(); }
  const ChildWatcher& watcher() const noexcept { return *watcher_; }

  // co_await process.wait_for_exit(): until it has ended. The first throws CalledProcessError unless it
  // exited with status 0, the other only gives the return code (PRC-13). The streams may have more to read.
  class WaitForExit;
  WaitForExit wait_for_exit() const;
  ChildWatcher::Wait wait_for_exit(const std::nothrow_t&) const noexcept { return watcher_->wait(); }
  // Calls `callback` once, through the loop's queue, when the child has ended, also if that was before
  // (PRC-12). Not after this object was destroyed.
  void set_exit_callback(std::function<void(int returncode)> callback) {
    watcher_->set_exit_callback(std::move(callback));
  }

  // Do nothing once it has ended. Throw std::system_error (EPERM).
  void send_signal(int signal) { watcher_->send_signal(signal); }
  void terminate() { send_signal(SIGTERM); }
  void kill() { send_signal(SIGKILL); }
  // Destroying this object no longer kills the child.
  void detach() noexcept { detached_ = true; }

  // This process's environment, to be changed and given to a child.
  static Environment current_environment();

 private:
  static IOStream& stream(std::optional<IOStream>& stream, const char* name);

  std::string command_;
  std::optional<ChildWatcher> watcher_;
  std::optional<IOStream> in_;
  std::optional<IOStream> out_;
  std::optional<IOStream> err_;
  bool detached_ = false;
};

inline constexpr Subprocess::Stdio Subprocess::kInherit{Stdio::What::inherit};
inline constexpr Subprocess::Stdio Subprocess::kNull{Stdio::What::null};
inline constexpr Subprocess::Stdio Subprocess::kStream{Stdio::What::stream};
inline constexpr Subprocess::Stdio Subprocess::kToStdOut{Stdio::What::std_out};

class [[nodiscard]] Subprocess::WaitForExit {
 public:
  WaitForExit(const ChildWatcher& watcher, const std::string& command)
      : wait_(watcher.wait()), command_(command) {}
  bool await_ready() const noexcept { return wait_.await_ready(); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { wait_.await_suspend(coroutine); }
  void await_resume() const {
    const int returncode = wait_.await_resume();
    if (returncode != 0) throw CalledProcessError(command_, returncode);
  }

 private:
  ChildWatcher::Wait wait_;
  std::string command_;  // the process may be destroyed while somebody waits for it
};

inline Subprocess::WaitForExit Subprocess::wait_for_exit() const { return WaitForExit(*watcher_, command_); }

}  // namespace squall
