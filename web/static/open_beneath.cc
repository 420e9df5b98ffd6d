#include <squall/web/static/open_beneath.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/web/static/open_by_components.h>
#include <squall/web/static/open_by_kernel.h>

#include <fcntl.h>

#include <cerrno>

namespace squall::web {
namespace {

// Without O_NONBLOCK the open() of a FIFO waits for a writer.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

OwnedFd open_root(const std::string& root) {
  OwnedFd fd(static_cast<int>(
      retry_interrupted([&] { return ::open(root.empty() ? "." : root.c_str(), folder_flags()); })));
  if (!fd) throw_errno("Cannot open the folder of static files " + root);
  return fd;
}

int open_in(int root, const std::string& path) {
  const int fd = open_by_kernel(root, path.empty() ? "." : path.c_str(), kReadFlags);
  // EPERM: a filter of system calls that does not know the call. EAGAIN: a rename during the call, so that
  // the kernel cannot tell whether a `..` of a link leaves the root.
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN)) return fd;
  return open_by_components(root, path, kReadFlags);
}

OpenedFile::Outcome outcome_of_error(const std::string& path) {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP: return OpenedFile::Outcome::not_found;
    case EXDEV:  // out of the root
    case ENXIO:  // a socket, or a device without a driver
    case ENODEV:
    case EACCES:
    case EPERM: return OpenedFile::Outcome::forbidden;
    default: throw_errno("Cannot open the static file " + path);
  }
}

}  // namespace

OpenedFile open_beneath(const std::string& root, const std::string& path) {
  OpenedFile opened;
  const OwnedFd folder = open_root(root);
  opened.fd.reset(open_in(folder.get(), path));
  if (!opened.fd) {
    opened.outcome = outcome_of_error(path);
    return opened;
  }
  if (::fstat(opened.fd.get(), &opened.status) != 0) throw_errno("fstat");
  if (S_ISREG(opened.status.st_mode)) {
    opened.outcome = OpenedFile::Outcome::file;
  } else if (S_ISDIR(opened.status.st_mode)) {
    opened.outcome = OpenedFile::Outcome::folder;
  } else {
    opened.fd.reset();
    opened.outcome = OpenedFile::Outcome::forbidden;
  }
  return opened;
}

}  // namespace squall::web
