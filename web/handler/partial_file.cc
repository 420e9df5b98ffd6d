#include <squall/web/handler/partial_file.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace squall::web {
namespace {

[[noreturn]] void throw_with_path(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

PartialFile::PartialFile(std::string path)
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  if (!fd_) throw_with_path(path_);
}

PartialFile::~PartialFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_with_path(path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Some file systems report errors of earlier writes at close() only.
void PartialFile::close() {
  if (::close(fd_.release()) != 0 && errno != EINTR) throw_with_path(path_);
}

}  // namespace squall::web
