#include <squall/iostream/reload/kept_sockets.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/unix_address.h>
#include <squall/iostream/reload/adopt_sockets.h>
#include <squall/iostream/reload/autoreload.h>
#include <squall/iostream/socket/socket_keeper.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace squall {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
// The process id, and a line for each socket: the descriptor, and its record. A record has the number of the
// call that made the socket, the device and the inode of a Unix socket's file, and the request.
constexpr const char* kVariable = "SQUALL_KEPT_SOCKETS";

// A socket that listens and that no call has taken yet.
struct Offer {
  OwnedFd fd;
  std::string call;     // the sockets of one call are taken together
  std::string file;     // of a Unix socket
  std::string request;  // empty: of a supervisor
};

// A socket that a call has made or taken. The program may have closed it: `inode` tells.
struct Bound {
  int fd;
  ino_t inode;
  std::string record;
};

struct Inheritance {
  int fd;
  ino_t inode;
  std::string name;
};

bool is_listening(int fd) noexcept {
  int listens = 0;
  socklen_t size = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

// 0 for no socket.
ino_t inode_of(int fd) noexcept {
  struct stat file{};
  return ::fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

std::string request_for(std::uint16_t port, const ListenOptions& options) {
  return fmt::format("tcp {} {} {}", port, options.family, options.address);
}

// Abstract names begin with NUL or `@`.
std::string request_for(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text.front() == '\0') text.front() = '@';
  return "unix " + text;
}

// The name of a Unix socket as in a request.
std::string unix_request_of(int fd) {
  if (Address::local_of(fd).family() != AF_UNIX) return {};
  return request_for(UnixAddress::local_of(fd).name());
}

// The file of a Unix socket; `-` without one.
std::string file_of(std::string_view name) {
  struct stat file{};
  if (name.empty() || name.front() == '\0' || name.front() == '@' ||
      ::lstat(std::string(name).c_str(), &file) != 0)
    return "-";
  return fmt::format("{}:{}", file.st_dev, file.st_ino);
}

std::string_view next_word(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// All sockets of the process that this room knows.
class Registry {
 public:
  static Registry& get() {
    static Registry& registry = *new Registry;  // may be used by destructors of static objects
    return registry;
  }

  // Takes the sockets that the execution before this one has left.
  void load() {
    const char* const value = std::getenv(kVariable);
    if (!value) return;
    std::string_view text = value;
    const auto next_line = [&text] {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      return line;
    };
    const bool is_ours = parse_decimal<unsigned>(next_line()) == static_cast<unsigned>(::getpid());
    while (is_ours && !text.empty()) {
      std::string_view line = next_line();
      const std::optional<unsigned> number = parse_decimal<unsigned>(next_word(line));
      const int fd = number ? static_cast<int>(*number) : -1;
      if (fd < 0 || !is_listening(fd)) continue;
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
      Offer& offer = offers_.emplace_back();
      offer.fd.reset(fd);
      offer.call = next_word(line);
      calls_ = std::max(calls_, parse_decimal<unsigned>(offer.call).value_or(0));
      offer.file = next_word(line);
      offer.request = line;
    }
    ::unsetenv(kVariable);
  }

  void adopt(std::vector<InheritedFd> sockets) {
    const std::lock_guard lock(mutex_);
    for (InheritedFd& socket : sockets)
      if (is_listening(socket.fd.get())) offers_.push_back({std::move(socket.fd), {}, {}, {}});
  }

  std::vector<OwnedFd> take(std::uint16_t port, const ListenOptions& options) {
    adopt_under_squall_watch();
    const std::lock_guard lock(mutex_);
    const std::string request = request_for(port, options);
    std::vector<OwnedFd> taken = take_kept(request, "-");
    if (taken.empty() && port != 0) {
      taken = take_adopted(options.reuse_port ? Take::copies : Take::originals,
                           [port](int fd) { return Address::local_of(fd).port() == port; });
    }
    if (taken.empty() && port != 0 && !options.reuse_port) {
      // The program listens on another address of this port than before.
      std::erase_if(offers_, [port](const Offer& offer) {
        return !offer.request.empty() && Address::local_of(offer.fd.get()).port() == port;
      });
    }
    for (const OwnedFd& fd : taken) ::listen(fd.get(), options.backlog);
    record(request, "-", taken);
    close_others_later();
    return taken;
  }

  OwnedFd take_unix(std::string_view name) {
    adopt_under_squall_watch();
    const std::lock_guard lock(mutex_);
    const std::string request = request_for(name);
    const std::string file = file_of(name);
    std::vector<OwnedFd> taken = take_kept(request, file);
    if (taken.empty())
      taken = take_adopted(Take::originals, [&](int fd) { return unix_request_of(fd) == request; });
    close_others_later();
    if (taken.empty()) return OwnedFd();
    record(request, file, taken);
    return std::move(taken.front());
  }

  void made(const std::string& request, const std::string& file, const std::vector<OwnedFd>& sockets) {
    const std::lock_guard lock(mutex_);
    record(request, file, sockets);
  }
  void made_unix(std::string_view name, const OwnedFd& socket) {
    const std::lock_guard lock(mutex_);
    record_one(request_for(name), file_of(name), socket.get(), ++calls_);
  }

  void inherited(std::size_t count, const char* names) {
    const std::lock_guard lock(mutex_);
    std::string_view rest = names ? names : "";
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      const int fd = kFirstInherited + static_cast<int>(i);
      inherited_.push_back({fd, inode_of(fd), std::string(names ? rest.substr(0, colon) : "unknown")});
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }

  std::size_t close_unclaimed() noexcept {
    const std::lock_guard lock(mutex_);
    return std::erase_if(offers_, [](const Offer& offer) { return !offer.request.empty(); });
  }

  // The sockets that are still open, and those that no call of this execution has taken: the next one may.
  std::vector<Bound> to_keep() {
    const std::lock_guard lock(mutex_);
    forget_closed();
    std::vector<Bound> sockets = bound_;
    for (const Offer& offer : offers_) {
      const int fd = offer.fd.get();
      if (!offer.request.empty())
        sockets.push_back({fd, inode_of(fd), fmt::format("{} {} {}", offer.call, offer.file, offer.request)});
    }
    return sockets;
  }
  std::vector<Inheritance> inheritance() {
    const std::lock_guard lock(mutex_);
    std::vector<Inheritance> open;
    for (const Inheritance& socket : inherited_)
      if (socket.inode != 0 && inode_of(socket.fd) == socket.inode) open.push_back(socket);
    return open;
  }

 private:
  enum class Take { originals, copies };

  // With the first listening call on a loop: this execution may use no autoreload any more.
  void close_others_later() {
    if (has_timer_ || offers_.empty()) return;
    IOLoop* const loop = IOLoop::current_or_null();
    if (!loop) return;
    has_timer_ = true;
    loop->call_later(autoreload::kUnclaimed, [] {
      if (const std::size_t count = detail::close_unclaimed_sockets())
        log::general().info("Closed {} listening sockets that the program does not use any more", count);
    });
  }

  // squall-watch passes sockets to programs that know nothing of it.
  void adopt_under_squall_watch() {
    std::call_once(adopted_, [this] {
      if (std::getenv("SQUALL_WATCH")) adopt(listen_fds());
    });
  }

  std::vector<OwnedFd> take_kept(const std::string& request, const std::string& file) {
    const auto first = std::find_if(offers_.begin(), offers_.end(), [&](const Offer& offer) {
      return offer.request == request && offer.file == file;
    });
    std::vector<OwnedFd> taken;
    if (first == offers_.end()) return taken;
    const std::string call = first->call;
    std::erase_if(offers_, [&](Offer& offer) {
      if (offer.call != call || offer.request != request) return false;
      taken.push_back(std::move(offer.fd));
      return true;
    });
    return taken;
  }

  template <class Matches>
  std::vector<OwnedFd> take_adopted(Take how, Matches matches) {
    std::vector<OwnedFd> taken;
    std::erase_if(offers_, [&](Offer& offer) {
      if (!offer.request.empty() || !matches(offer.fd.get())) return false;
      if (how == Take::copies) {
        taken.emplace_back(::fcntl(offer.fd.get(), F_DUPFD_CLOEXEC, kFirstInherited));
        if (!taken.back()) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
        return false;
      }
      taken.push_back(std::move(offer.fd));
      return true;
    });
    return taken;
  }

  void record(const std::string& request, const std::string& file, const std::vector<OwnedFd>& sockets) {
    ++calls_;
    for (const OwnedFd& socket : sockets) record_one(request, file, socket.get(), calls_);
  }
  void record_one(const std::string& request, const std::string& file, int fd, unsigned call) {
    forget_closed();
    const bool fits_a_line = request.find('\n') == request.npos && request.find('\0') == request.npos;
    if (fits_a_line) bound_.push_back({fd, inode_of(fd), fmt::format("{} {} {}", call, file, request)});
  }
  void forget_closed() {
    std::erase_if(
        bound_, [](const Bound& socket) { return socket.inode == 0 || inode_of(socket.fd) != socket.inode; });
  }

  std::mutex mutex_;
  std::once_flag adopted_;
  bool has_timer_ = false;
  unsigned calls_ = 0;  // of this execution and those before it
  std::vector<Offer> offers_;
  std::vector<Bound> bound_;
  std::vector<Inheritance> inherited_;
};

bool g_keeps_files = false;

constexpr detail::SocketKeeper kKeeper = {
    .take = [](std::uint16_t port,
               const ListenOptions& options) { return Registry::get().take(port, options); },
    .made =
        [](std::uint16_t port, const ListenOptions& options, const std::vector<OwnedFd>& sockets) {
          Registry::get().made(request_for(port, options), "-", sockets);
        },
    .take_unix = [](std::string_view name) { return Registry::get().take_unix(name); },
    .made_unix = [](std::string_view name,
                    const OwnedFd& socket) { Registry::get().made_unix(name, socket); },
    .inherited = [](std::size_t count, const char* names) { Registry::get().inherited(count, names); },
    .keeps_files = [] { return g_keeps_files; },
};

// In every program that links this room: a program listens before it starts autoreload.
[[maybe_unused]] const bool g_is_installed = [] {
  detail::g_socket_keeper = &kKeeper;
  Registry::get().load();
  return true;
}();

}  // namespace

void adopt_sockets() { adopt_sockets(listen_fds()); }
void adopt_sockets(std::vector<InheritedFd> sockets) { Registry::get().adopt(std::move(sockets)); }

namespace detail {

KeptSockets::KeptSockets() {
  const std::vector<Inheritance> inheritance = Registry::get().inheritance();
  const std::vector<Bound> bound = Registry::get().to_keep();
  lowest_ = kFirstInherited;
  for (const Inheritance& socket : inheritance) lowest_ = std::max(lowest_, socket.fd + 1);
  const auto copy_of = [this](int fd) {
    OwnedFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, lowest_));
    if (!copy) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
    return copy;
  };
  for (const Inheritance& socket : inheritance)
    inherited_.push_back({copy_of(socket.fd), socket.fd, socket.name});
  for (const Bound& socket : bound) {
    const bool is_inherited =
        std::any_of(inheritance.begin(), inheritance.end(),
                    [&](const Inheritance& other) { return other.inode == socket.inode; });
    if (!is_inherited && is_listening(socket.fd)) kept_.push_back({copy_of(socket.fd), socket.record});
  }
  g_keeps_files = true;
}

KeptSockets::~KeptSockets() { g_keeps_files = false; }

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

// The names of the descriptors from kFirstInherited on.
std::vector<std::string> KeptSockets::place_inherited() {
  std::vector<std::string> names;
  OwnedFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  null.reset(::fcntl(null.get(), F_DUPFD_CLOEXEC, lowest_));  // it may have the number of a socket
  int number = kFirstInherited;
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
  set(kVariable, records.empty() ? "" : pid + records);
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

std::size_t close_unclaimed_sockets() noexcept { return Registry::get().close_unclaimed(); }

}  // namespace detail

}  // namespace squall
