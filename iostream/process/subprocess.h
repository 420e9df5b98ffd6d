#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/process/child_watcher.h>
#include <squall/iostream/stream/iostream.h>

#include <signal.h>
#include <sys/types.h>

#include <coroutine>
#include <cstdint>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace squall {

// A child process has exited with a status other than 0, or a signal has killed it.
class CalledProcessError : public std::runtime_error {
 public:
  CalledProcessError(const std::string& command, int returncode);
  // The exit status, or minus the number of the signal.
  int returncode() const noexcept { return returncode_; }

 private:
  int returncode_;
};

// A program in a child process, with streams for its standard input, output and error.
//
//     Subprocess::Options options;
//     options.std_out = Subprocess::kStream;
//     Subprocess date({"date", "--utc"}, options);
//     const std::string line = co_await date.std_out().read_until("\n");
//     co_await date.wait_for_exit();
//
// A child that writes more than a pipe holds (64 KiB on Linux) blocks until its stream is read. So a task
// that writes many bytes to a child needs another task that reads the child's output.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows `loop`. Destruction closes the streams and kills a running child, unless detach() was
//            called. The loop reaps the child in either case. Children of the child are not killed: let a
//            shell `exec` its last command.
// Errors:    the constructor throws std::system_error with the system's reason (ENOENT, EACCES, ...) if the
//            program cannot be run, and leaves no process and no descriptor behind (PRC-10).
class Subprocess {
 public:
  // The child's standard input, output or error.
  class Stdio {
   public:
    // A descriptor of this process, borrowed until the constructor of Subprocess returns. A non-blocking
    // descriptor stays non-blocking.
    explicit constexpr Stdio(int fd) noexcept : what_(What::descriptor), fd_(fd) {}

   private:
    friend class Subprocess;
    enum class What : std::uint8_t { inherit, null, stream, std_out, descriptor };
    explicit constexpr Stdio(What what) noexcept : what_(what) {}

    What what_;
    int fd_ = -1;
  };
  static const Stdio kInherit;   // this process's
  static const Stdio kNull;      // /dev/null
  static const Stdio kStream;    // a pipe; its other end is an IOStream of this object
  static const Stdio kToStdOut;  // for standard error: the target of standard output

  using Environment = std::map<std::string, std::string>;
  struct Options {
    Stdio std_in = Stdio(Stdio::What::inherit);
    Stdio std_out = Stdio(Stdio::What::inherit);
    Stdio std_err = Stdio(Stdio::What::inherit);
    std::optional<Environment> environment{};  // nullopt: this process's
    std::string directory{};                   // the working directory; empty: this process's
    IOStream::Options stream{};                // limits of the streams
    ChildExit exit = ChildExit::automatic;     // how the loop learns of the end of the child
  };

  // Runs the program argv[0], looked up in PATH unless it has a slash, without a shell. The program has begun
  // when the constructor returns. Its signals are unblocked and at their defaults. It inherits the
  // descriptors that are not close-on-exec; all of Squall's are.
  Subprocess(std::vector<std::string> argv, const Options& options, IOLoop& loop = IOLoop::current());
  explicit Subprocess(std::vector<std::string> argv, IOLoop& loop = IOLoop::current())
      : Subprocess(std::move(argv), Options(), loop) {}
  Subprocess(Subprocess&&) noexcept = default;
  Subprocess& operator=(Subprocess&&) = delete;
  ~Subprocess();

  // This process's ends of the pipes. They throw std::logic_error unless the option was kStream.
  IOStream& std_in() { return stream(in_, "std_in"); }  // close() or shutdown_write() ends the child's input
  IOStream& std_out() { return stream(out_, "std_out"); }
  IOStream& std_err() { return stream(err_, "std_err"); }

  pid_t pid() const noexcept { return watcher_->pid(); }
  // The exit status, or minus the number of the signal that killed the child; nullopt until the loop has
  // reaped the child (PRC-11).
  std::optional<int> returncode() const noexcept { return watcher_->returncode(); }
  const ChildWatcher& watcher() const noexcept { return *watcher_; }

  // co_await process.wait_for_exit() waits for the end of the child. The first form throws CalledProcessError
  // for a return code other than 0, the second returns the code (PRC-13). The streams may still have bytes to
  // read.
  class WaitForExit;
  WaitForExit wait_for_exit() const;
  ChildWatcher::Wait wait_for_exit(const std::nothrow_t&) const noexcept { return watcher_->wait(); }
  // Calls `callback` once, through the loop's queue, when the child has ended, even if it ended before the
  // call (PRC-12); never after this object was destroyed.
  void set_exit_callback(VoidFunction<int> callback) { watcher_->set_exit_callback(std::move(callback)); }

  // Do nothing once the child has ended. They throw std::system_error (EPERM).
  void send_signal(int signal) { watcher_->send_signal(signal); }
  void terminate() { send_signal(SIGTERM); }
  void kill() { send_signal(SIGKILL); }
  // Destroying this object no longer kills the child.
  void detach() noexcept { detached_ = true; }

  // A copy of this process's environment.
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
  std::string command_;  // a copy: the Subprocess may be destroyed while a task waits
};

inline Subprocess::WaitForExit Subprocess::wait_for_exit() const { return WaitForExit(*watcher_, command_); }

}  // namespace squall
