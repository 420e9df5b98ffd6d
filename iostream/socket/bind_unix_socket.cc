#include <squall/iostream/socket/bind_unix_socket.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/iostream/address/unix_address.h>
#include <squall/iostream/socket/socket_keeper.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace squall {
namespace {

[[noreturn]] void cannot_listen(const UnixAddress& address, int error) {
  throw std::system_error(error, std::generic_category(), "cannot listen on " + address.to_string());
}

// lstat(): a symbolic link is never a socket, because unlink() would remove the link.
void remove_old_socket(const UnixAddress& address, const char* path) {
  struct stat file{};
  if (::lstat(path, &file) != 0) {
    if (errno == ENOENT) return;
    cannot_listen(address, errno);
  }
  if (!S_ISSOCK(file.st_mode))
    throw std::system_error(EEXIST, std::generic_category(),
                            "cannot listen on " + address.to_string() + ", which is not a socket");
  if (::unlink(path) != 0 && errno != ENOENT) cannot_listen(address, errno);
}

}  // namespace

OwnedFd bind_unix_socket(std::string_view name, const UnixListenOptions& options) {
  const UnixAddress address(name);
  const std::string path(address.name());
  if (const auto* const keeper = detail::g_socket_keeper) {
    if (OwnedFd kept = keeper->take_unix(name)) return kept;
  }
  OwnedFd fd = new_socket(AF_UNIX, SOCK_STREAM);
  if (!fd) throw_errno("socket");
  if (!address.is_abstract()) {
    remove_old_socket(address, path.c_str());
    // Linux creates the file with the mode of the socket, less the umask, so no client can connect before
    // chmod(). Elsewhere this fails.
    static_cast<void>(::fchmod(fd.get(), options.mode));
  }
  if (::bind(fd.get(), address.data(), address.size()) != 0) cannot_listen(address, errno);
  UnixSocketFile file(fd.get());
  if ((!address.is_abstract() && ::chmod(path.c_str(), options.mode) != 0) ||
      ::listen(fd.get(), options.backlog) != 0)
    cannot_listen(address, errno);
  file.release();
  if (const auto* const keeper = detail::g_socket_keeper) keeper->made_unix(name, fd);
  return fd;
}

UnixSocketFile::UnixSocketFile(int socket) {
  const UnixAddress address = UnixAddress::local_of(socket);
  if (address.is_unnamed() || address.is_abstract()) return;
  std::string path(address.name());
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return;
  path_ = std::move(path);
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

UnixSocketFile::UnixSocketFile(UnixSocketFile&& other) noexcept
    : path_(std::move(other.path_)), device_(other.device_), inode_(other.inode_) {
  other.release();
}

UnixSocketFile::~UnixSocketFile() {
  if (path_.empty() || (detail::g_socket_keeper && detail::g_socket_keeper->keeps_files())) return;
  struct stat file{};
  const bool is_ours = ::lstat(path_.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) &&
                       file.st_dev == device_ && file.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
}

}  // namespace squall
