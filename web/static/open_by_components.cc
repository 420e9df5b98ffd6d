#include <squall/web/static/open_by_components.h>

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/web/static/open_by_kernel.h>

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

constexpr int kMaxLinks = 40;  // as Linux

class ComponentWalk {
 public:
  ComponentWalk(int root, std::string path) : root_(root), rest_(std::move(path)) {}

  // A descriptor, or -1 and errno.
  int open(int flags) {
    while (const std::optional<std::string> name = next_name()) {
      if (*name == "." || name->empty()) continue;
      if (*name == "..") {
        if (folders_.empty()) {
          errno = EXDEV;
          return -1;
        }
        folders_.pop_back();
        continue;
      }
      const int fd = open_at(name->c_str(), (is_last_ ? flags : folder_flags()) | O_NOFOLLOW);
      if (fd < 0) {
        if (!follow(*name)) return -1;
      } else if (is_last_) {
        return fd;
      } else {
        folders_.emplace_back(fd);
      }
    }
    return open_at(".", flags);  // the path names a folder
  }

 private:
  int folder() const noexcept { return folders_.empty() ? root_ : folders_.back().get(); }
  int open_at(const char* name, int flags) const noexcept {
    return static_cast<int>(retry_interrupted([&] { return ::openat(folder(), name, flags); }));
  }

  // Takes the first component from the rest; nullopt at its end.
  std::optional<std::string> next_name() {
    if (at_ == rest_.size()) return std::nullopt;
    const std::size_t slash = rest_.find('/', at_);
    is_last_ = slash == rest_.npos;
    const std::size_t end = is_last_ ? rest_.size() : slash;
    std::string name = rest_.substr(at_, end - at_);
    at_ = is_last_ ? end : end + 1;
    return name;
  }

  // `name` could not be opened. If it is a symbolic link, puts the link's target in front of the rest.
  // Otherwise false, with the errno of openat().
  bool follow(const std::string& name) {
    const int error = errno;
    if (error != ELOOP && error != ENOTDIR && error != EMLINK) return false;
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(folder(), name.c_str(), target, sizeof target);
    errno = error;
    if (size <= 0) return false;
    if (target[0] == '/') {
      errno = EXDEV;
      return false;
    }
    if (static_cast<std::size_t>(size) == sizeof target || ++links_ > kMaxLinks) {
      errno = ELOOP;
      return false;
    }
    rest_ = std::string(target, static_cast<std::size_t>(size)) + (is_last_ ? "" : "/" + rest_.substr(at_));
    at_ = 0;
    return true;
  }

  const int root_;
  std::vector<OwnedFd> folders_;  // below the root
  std::string rest_;              // the path to walk
  std::size_t at_ = 0;            // the beginning of the part that is still to be walked
  bool is_last_ = false;          // the name taken last has no slash behind it
  int links_ = 0;
};

}  // namespace

int open_by_components(int root, const std::string& path, int flags) {
  return ComponentWalk(root, path).open(flags);
}

}  // namespace squall::web
