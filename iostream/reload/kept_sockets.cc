#include <squall/iostream/reload/kept_sockets.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/socket_registry.h>
#include <squall/iostream/socket/listen_fds.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace squall::detail {

KeptSockets::KeptSockets() {
  const std::vector<SocketRegistry::Inheritance> inheritance = SocketRegistry::get().inheritance();
  const std::vector<SocketRegistry::Bound> bound = SocketRegistry::get().to_keep();
  lowest_ = kFirstListenFd;
  for (const SocketRegistry::Inheritance& socket : inheritance) lowest_ = std::max(lowest_, socket.fd + 1);
  const auto copy_of = [this](int fd) {
    OwnedFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, lowest_));
    if (!copy) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
    return copy;
  };
  for (const SocketRegistry::Inheritance& socket : inheritance)
    inherited_.push_back({copy_of(socket.fd), socket.fd, socket.name});
  for (const SocketRegistry::Bound& socket : bound) {
    const bool is_inherited =
        std::any_of(inheritance.begin(), inheritance.end(),
                    [&](const SocketRegistry::Inheritance& other) { return other.inode == socket.inode; });
    if (!is_inherited && is_listening(socket.fd)) kept_.push_back({copy_of(socket.fd), socket.record});
  }
  exist_ = true;
}

KeptSockets::~KeptSockets() { exist_ = false; }

// False if another file without close-on-exec has the number.
bool KeptSockets::place(int fd, int number) {
  const int flags = ::fcntl(number, F_GETFD);
  if (flags >= 0 && (flags & FD_CLOEXEC) == 0 && (inode_of(fd) == 0 || inode_of(number) != inode_of(fd)))
    return false;
  OwnedFd copy(flags < 0 ? -1 : ::fcntl(number, F_DUPFD_CLOEXEC, lowest_));
  if (flags >= 0 && !copy) return false;
  if (::dup2(fd, number) < 0) return false;  // without close-on-exec
  replaced_.push_back({number, flags, std::move(copy)});
  return true;
}

// The names of the descriptors from kFirstListenFd on.
std::vector<std::string> KeptSockets::place_inherited() {
  std::vector<std::string> names;
  OwnedFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  null.reset(::fcntl(null.get(), F_DUPFD_CLOEXEC, lowest_));  // it may have the number of a socket
  int number = kFirstListenFd;
  for (const Inherited& socket : inherited_) {
    for (; number <= socket.number; ++number) {
      const bool is_open = number == socket.number;
      if (!place(is_open ? socket.fd.get() : null.get(), number)) {
        log::general().warning(
            "The sockets of LISTEN_FDS from {} on are not kept: their numbers have other files", number);
        return names;
      }
      names.push_back(is_open ? socket.name : "closed");
    }
  }
  return names;
}

void KeptSockets::hand_over(std::vector<std::string>& environment) {
  const auto set = [&](std::string_view name, const std::string& value) {
    std::erase_if(environment, [&](const std::string& variable) {
      return variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=';
    });
    if (!value.empty()) environment.push_back(fmt::format("{}={}", name, value));
  };
  const std::vector<std::string> names = place_inherited();
  const std::string pid = std::to_string(::getpid());
  set("LISTEN_PID", names.empty() ? "" : pid);
  set("LISTEN_FDS", names.empty() ? "" : std::to_string(names.size()));
  set("LISTEN_FDNAMES", fmt::format("{}", fmt::join(names, ":")));
  std::string records;
  for (const Kept& socket : kept_) {
    ::fcntl(socket.fd.get(), F_SETFD, 0);
    records += fmt::format("\n{} {}", socket.fd.get(), socket.record);
  }
  set(SocketRegistry::kVariable, records.empty() ? "" : pid + records);
}

void KeptSockets::take_back() noexcept {
  for (; !replaced_.empty(); replaced_.pop_back()) {
    const Replaced& before = replaced_.back();
    if (before.flags < 0) {
      ::close(before.number);
    } else {
      ::dup2(before.copy.get(), before.number);
      ::fcntl(before.number, F_SETFD, before.flags);
    }
  }
  for (const Kept& socket : kept_) ::fcntl(socket.fd.get(), F_SETFD, FD_CLOEXEC);
}

}  // namespace squall::detail
