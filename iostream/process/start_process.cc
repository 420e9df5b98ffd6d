#include <squall/iostream/process/start_process.h>

#include <squall/ioloop/base/environment.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/signal_set.h>
#include <squall/iostream/process/spawn_folder.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall {
namespace {

void check(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

class FileActions {
 public:
  FileActions() { check(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void open_null(int target) {
    check(::posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0),
          "posix_spawn_file_actions_addopen");
  }
  void duplicate(int source, int target) {
    check(::posix_spawn_file_actions_adddup2(&actions_, source, target), "posix_spawn_file_actions_adddup2");
  }
  void change_directory(const std::string& directory) {
    check(detail::add_folder(actions_, directory.c_str()), "posix_spawn_file_actions_addchdir_np");
  }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// Attributes that unblock all signals and restore their defaults.
class Attributes {
 public:
  Attributes() {
    check(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    const sigset_t all = all_signals_but();
    const sigset_t none = signal_set();
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

void check_text(const std::string& text) {
  if (text.find('\0') != text.npos)
    throw std::invalid_argument("an argument or variable of a child process contains a NUL");
}

// The null-terminated array for exec(). Borrows the strings.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> assignments(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> result;
  for (const auto& [name, value] : environment) {
    check_text(name);
    check_text(value);
    if (name.empty() || name.find('=') != name.npos)
      throw std::invalid_argument(fmt::format("not a name of an environment variable: \"{}\"", name));
    result.push_back(name + "=" + value);
  }
  return result;
}

// Adds the actions for the child's standard descriptors. The result must outlive the start of the child.
std::array<OwnedFd, 3> redirect(FileActions& actions, std::array<int, 3> sources) {
  // Sources that are also targets move to other numbers, so that dup2() overwrites no source before its use.
  std::array<OwnedFd, 3> moved;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] < 0 || sources[i] > STDERR_FILENO) continue;
    moved[i].reset(::fcntl(sources[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!moved[i]) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
    sources[i] = moved[i].get();
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const int target = static_cast<int>(i);
    if (sources[i] == ProcessRequest::kInherit) continue;
    if (sources[i] == ProcessRequest::kNull) {
      actions.open_null(target);
    } else {
      actions.duplicate(sources[i] == ProcessRequest::kStdOut ? STDOUT_FILENO : sources[i], target);
    }
  }
  return moved;
}

}  // namespace

pid_t start_process(const ProcessRequest& request) {
  if (request.argv.empty()) throw std::invalid_argument("a child process needs a program to run");
  for (const std::string& argument : request.argv) check_text(argument);
  check_text(request.directory);

  FileActions actions;
  const std::array<OwnedFd, 3> moved = redirect(actions, request.stdio);
  if (!request.directory.empty()) actions.change_directory(request.directory);

  const Attributes attributes;
  const std::vector<char*> argv = pointers_to(request.argv);
  std::vector<std::string> variables;
  if (request.environment) variables = assignments(*request.environment);
  const std::vector<char*> environment = pointers_to(variables);
  pid_t pid = 0;
  // The child shares this process's memory until exec() succeeds or fails, so the cost does not depend on the
  // size of this process, and the error is the result of the call.
  const int error = ::posix_spawnp(&pid, argv[0], actions.get(), attributes.get(), argv.data(),
                                   request.environment ? environment.data() : detail::environment());
  if (error != 0) {
    throw std::system_error(error, std::generic_category(),
                            request.directory.empty()
                                ? fmt::format("cannot run {}", request.argv[0])
                                : fmt::format("cannot run {} in {}", request.argv[0], request.directory));
  }
  return pid;
}

}  // namespace squall
