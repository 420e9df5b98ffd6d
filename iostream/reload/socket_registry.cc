#include <squall/iostream/reload/socket_registry.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/unix_address.h>
#include <squall/iostream/reload/autoreload.h>
#include <squall/iostream/reload/kept_sockets.h>
#include <squall/iostream/socket/socket_keeper.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace squall::detail {
namespace {

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

}  // namespace

bool is_under_squall_watch() noexcept {
  static const bool is_set = std::getenv("SQUALL_WATCH") != nullptr;
  return is_set;
}

bool is_listening(int fd) noexcept {
  int listens = 0;
  socklen_t size = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

ino_t inode_of(int fd) noexcept {
  struct stat file{};
  return ::fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

SocketRegistry& SocketRegistry::get() {
  static SocketRegistry& registry = *new SocketRegistry;  // may be used by destructors of static objects
  return registry;
}

void SocketRegistry::load() {
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

void SocketRegistry::adopt(std::vector<InheritedFd> sockets) {
  const std::lock_guard lock(mutex_);
  for (InheritedFd& socket : sockets)
    if (is_listening(socket.fd.get())) offers_.push_back({std::move(socket.fd), {}, {}, {}});
}

std::vector<OwnedFd> SocketRegistry::take(std::uint16_t port, const ListenOptions& options) {
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

OwnedFd SocketRegistry::take_unix(std::string_view name) {
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

void SocketRegistry::made(std::uint16_t port, const ListenOptions& options,
                          const std::vector<OwnedFd>& sockets) {
  const std::lock_guard lock(mutex_);
  record(request_for(port, options), "-", sockets);
}

void SocketRegistry::made_unix(std::string_view name, const OwnedFd& socket) {
  const std::lock_guard lock(mutex_);
  record_one(request_for(name), file_of(name), socket.get(), ++calls_);
}

void SocketRegistry::inherited(std::size_t count, const char* names) {
  const std::lock_guard lock(mutex_);
  std::string_view rest = names ? names : "";
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const int fd = kFirstListenFd + static_cast<int>(i);
    inherited_.push_back({fd, inode_of(fd), std::string(names ? rest.substr(0, colon) : "unknown")});
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
}

std::size_t SocketRegistry::close_unclaimed() noexcept {
  const std::lock_guard lock(mutex_);
  return std::erase_if(offers_, [](const Offer& offer) { return !offer.request.empty(); });
}

std::vector<SocketRegistry::Bound> SocketRegistry::to_keep() {
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

std::vector<SocketRegistry::Inheritance> SocketRegistry::inheritance() {
  const std::lock_guard lock(mutex_);
  std::vector<Inheritance> open;
  for (const Inheritance& socket : inherited_)
    if (socket.inode != 0 && inode_of(socket.fd) == socket.inode) open.push_back(socket);
  return open;
}

void SocketRegistry::close_unclaimed_later(IOLoop& loop) {
  const std::lock_guard lock(mutex_);
  arm(loop);
}

void SocketRegistry::arm(IOLoop& loop) {
  if (timer_loop_ && !(*timer_loop_)->has_ended()) return;
  timer_loop_ = loop;
  loop.call_later(autoreload::kUnclaimed, [] {
    if (const std::size_t count = get().close_unclaimed())
      log::general().info("Closed {} listening sockets that the program does not use any more", count);
  });
}

// With the first listening call on a loop: this execution may use no autoreload any more.
void SocketRegistry::close_others_later() {
  if (offers_.empty()) return;
  if (IOLoop* const loop = IOLoop::current_or_null()) arm(*loop);
}

// squall-watch passes sockets to programs that know nothing of it.
void SocketRegistry::adopt_under_squall_watch() {
  std::call_once(adopted_, [this] {
    if (is_under_squall_watch()) adopt(listen_fds());
  });
}

std::vector<OwnedFd> SocketRegistry::take_kept(const std::string& request, const std::string& file) {
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
std::vector<OwnedFd> SocketRegistry::take_adopted(Take how, Matches matches) {
  std::vector<OwnedFd> taken;
  std::erase_if(offers_, [&](Offer& offer) {
    if (!offer.request.empty() || !matches(offer.fd.get())) return false;
    if (how == Take::copies) {
      taken.emplace_back(::fcntl(offer.fd.get(), F_DUPFD_CLOEXEC, kFirstListenFd));
      if (!taken.back()) throw_errno("fcntl(F_DUPFD_CLOEXEC)");
      return false;
    }
    taken.push_back(std::move(offer.fd));
    return true;
  });
  return taken;
}

void SocketRegistry::record(const std::string& request, const std::string& file,
                            const std::vector<OwnedFd>& sockets) {
  ++calls_;
  for (const OwnedFd& socket : sockets) record_one(request, file, socket.get(), calls_);
}

void SocketRegistry::record_one(const std::string& request, const std::string& file, int fd, unsigned call) {
  forget_closed();
  const bool fits_a_line = request.find('\n') == request.npos && request.find('\0') == request.npos;
  if (fits_a_line) bound_.push_back({fd, inode_of(fd), fmt::format("{} {} {}", call, file, request)});
}

void SocketRegistry::forget_closed() {
  std::erase_if(bound_,
                [](const Bound& socket) { return socket.inode == 0 || inode_of(socket.fd) != socket.inode; });
}

namespace {

constexpr SocketKeeper kKeeper = {
    .take = [](std::uint16_t port,
               const ListenOptions& options) { return SocketRegistry::get().take(port, options); },
    .made = [](std::uint16_t port, const ListenOptions& options,
               const std::vector<OwnedFd>& sockets) { SocketRegistry::get().made(port, options, sockets); },
    .take_unix = [](std::string_view name) { return SocketRegistry::get().take_unix(name); },
    .made_unix = [](std::string_view name,
                    const OwnedFd& socket) { SocketRegistry::get().made_unix(name, socket); },
    .inherited = [](std::size_t count, const char* names) { SocketRegistry::get().inherited(count, names); },
    .keeps_files = [] { return KeptSockets::exist(); },
};

// In every program that links this room: a program listens before it starts autoreload.
[[maybe_unused]] const bool g_is_installed = [] {
  g_socket_keeper = &kKeeper;
  SocketRegistry::get().load();
  return true;
}();

}  // namespace
}  // namespace squall::detail
