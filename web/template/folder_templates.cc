#include <squall/web/template/folder_templates.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/file_times.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/retry_interrupted.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace squall::web {
namespace {

// Without links, `.` and `..`; empty if there is no such file.
std::string real_path(const std::string& path) {
  struct Free {
    void operator()(char* text) const { std::free(text); }
  };
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  if (real) return real.get();
  if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP) return {};
  throw_errno("Cannot find the template " + path);
}

std::string read_all(int fd, const std::string& path) {
  std::string text;
  std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const auto count = retry_interrupted([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (count < 0) throw_errno("Cannot read the template " + path);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

// The file that the name leads to; empty if there is none.
std::string FolderTemplates::path_of(const std::string& name) const {
  const std::string root = real_path(root_.empty() ? "." : root_);
  if (root.empty()) return {};
  std::string path = real_path(root + "/" + name);
  if (path.empty() || path.starts_with(root == "/" ? root : root + "/")) return path;
  throw TemplateNotFoundError(fmt::format("the template '{}' is a link that leads out of {}", name, root_));
}

std::optional<std::string> FolderTemplates::read(const std::string& name) const {
  const std::string path = path_of(name);
  if (path.empty()) return std::nullopt;
  // Without O_NONBLOCK the open() of a FIFO waits for a writer.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const OwnedFd fd(static_cast<int>(retry_interrupted([&] { return ::open(path.c_str(), kFlags); })));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw_errno("Cannot open the template " + path);
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) throw_errno("fstat");
  if (!S_ISREG(status.st_mode))
    throw TemplateNotFoundError(fmt::format("the template '{}' is no regular file", name));
  return read_all(fd.get(), path);
}

std::string FolderTemplates::stamp(const std::string& name) const {
  const std::string path = path_of(name);
  struct stat status{};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
  const timespec changed = modified_time(status);
  return fmt::format("{}.{}.{}.{}.{}", status.st_dev, status.st_ino, status.st_size, changed.tv_sec,
                     changed.tv_nsec);
}

std::string FolderTemplates::place() const {
  std::error_code error;  // the current folder is gone
  const std::filesystem::path root = std::filesystem::absolute(root_, error);
  return fmt::format("the folder '{}'", error ? root_ : root.string());
}

}  // namespace squall::web
