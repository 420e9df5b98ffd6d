#include <squall/iostream/process/subprocess.h>

#include <squall/ioloop/base/environment.h>
#include <squall/iostream/process/start_process.h>
#include <squall/iostream/socket/pipe.h>

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace squall {
namespace {

std::string describe(const std::string& command, int returncode) {
  return returncode < 0 ? fmt::format("command {} was killed by signal {}", command, -returncode)
                        : fmt::format("command {} exited with status {}", command, returncode);
}

// Kills and reaps a child that the loop cannot watch. A child that has changed its user cannot be killed, and
// may run for long, so nothing waits for it.
void end_now(pid_t pid) noexcept {
  if (::kill(pid, SIGKILL) != 0 && errno != ESRCH) return;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

CalledProcessError::CalledProcessError(const std::string& command, int returncode)
    : std::runtime_error(describe(command, returncode)), returncode_(returncode) {}

Subprocess::Subprocess(std::vector<std::string> argv, const Options& options, IOLoop& loop)
    : command_(argv.empty() ? std::string() : argv[0]) {
  using What = Stdio::What;
  ProcessRequest request;
  request.argv = std::move(argv);
  request.environment = options.environment;
  request.directory = options.directory;
  // The child's ends of the pipes; this process closes them once the child has copies.
  std::array<OwnedFd, 3> theirs;
  const std::array<Stdio, 3> wanted{options.std_in, options.std_out, options.std_err};
  const std::array<std::optional<IOStream>*, 3> ours{&in_, &out_, &err_};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    switch (wanted[i].what_) {
      case What::inherit: break;
      case What::null: request.stdio[i] = ProcessRequest::kNull; break;
      case What::descriptor:
        if (wanted[i].fd_ < 0) throw std::invalid_argument("a descriptor of a child process is negative");
        request.stdio[i] = wanted[i].fd_;
        break;
      case What::std_out:
        if (i != 2) throw std::invalid_argument("only standard error can be kToStdOut");
        request.stdio[i] = ProcessRequest::kStdOut;
        break;
      case What::stream: {
        Pipe pipe = make_pipe();
        theirs[i] = std::move(i == 0 ? pipe.read : pipe.write);
        ours[i]->emplace(std::move(i == 0 ? pipe.write : pipe.read), options.stream, loop);
        request.stdio[i] = theirs[i].get();
        break;
      }
    }
  }
  const pid_t pid = start_process(request);
  try {
    watcher_.emplace(pid, options.exit, loop);
  } catch (...) {
    end_now(pid);
    throw;
  }
}

Subprocess::~Subprocess() {
  if (!watcher_ || !*watcher_ || detached_) return;
  try {
    kill();
  } catch (const std::system_error&) {
    // The child has changed its user, so this process is not allowed to kill it.
  }
}

IOStream& Subprocess::stream(std::optional<IOStream>& stream, const char* name) {
  if (!stream) throw std::logic_error(fmt::format("{} of the child process is not a stream", name));
  return *stream;
}

Subprocess::Environment Subprocess::current_environment() {
  Environment result;
  for (char** variable = detail::environment(); variable && *variable; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != text.npos) result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

}  // namespace squall
