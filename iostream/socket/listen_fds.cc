#include <squall/iostream/socket/listen_fds.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/iostream/socket/socket_keeper.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall {
namespace {

int number_in(const char* variable, std::string_view text) {
  const std::optional<unsigned> value = parse_decimal<unsigned>(text);
  if (!value || *value > static_cast<unsigned>(std::numeric_limits<int>::max() - kFirstListenFd))
    throw std::runtime_error(fmt::format("{} must be a number from 0: \"{}\"", variable, text));
  return static_cast<int>(*value);
}

// The names of `count` descriptors.
std::vector<std::string> names_in(const char* text, std::size_t count) {
  if (!text) return std::vector<std::string>(count, "unknown");
  std::vector<std::string> names;
  std::string_view rest = text;
  for (;;) {
    const std::size_t colon = rest.find(':');
    names.emplace_back(rest.substr(0, colon));
    if (colon == rest.npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (names.size() != count)
    throw std::runtime_error(
        fmt::format("LISTEN_FDNAMES has {} names for {} descriptors: \"{}\"", names.size(), count, text));
  return names;
}

}  // namespace

std::vector<InheritedFd> listen_fds() {
  const char* const pid = std::getenv("LISTEN_PID");
  const char* const count_text = std::getenv("LISTEN_FDS");
  if (!pid || !count_text || number_in("LISTEN_PID", pid) != ::getpid()) return {};
  const int count = number_in("LISTEN_FDS", count_text);
  std::vector<int> flags;
  for (int fd = kFirstListenFd; fd < kFirstListenFd + count; ++fd) {
    flags.push_back(::fcntl(fd, F_GETFD));
    if (flags.back() < 0) throw_errno(fmt::format("descriptor {} of LISTEN_FDS={}", fd, count));
  }
  std::vector<std::string> names =
      count > 0 ? names_in(std::getenv("LISTEN_FDNAMES"), flags.size()) : std::vector<std::string>();
  std::vector<InheritedFd> inherited(flags.size());
  if (const auto* const keeper = detail::g_socket_keeper)
    keeper->inherited(flags.size(), std::getenv("LISTEN_FDNAMES"));
  // No statement below fails.
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const int fd = kFirstListenFd + static_cast<int>(i);
    ::fcntl(fd, F_SETFD, flags[i] | FD_CLOEXEC);
    inherited[i].fd.reset(fd);
    inherited[i].name = std::move(names[i]);
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  return inherited;
}

}  // namespace squall
