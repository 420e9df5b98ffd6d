#include <squall/options/read_config_file.h>

#include <squall/ioloop/base/owned_fd.h>
#include <squall/options/error.h>
#include <squall/options/quote.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <system_error>

namespace squall::options {
namespace {

constexpr std::size_t kMostBytes = 1024 * 1024;

[[noreturn]] void fail(const std::string& path, int error) {
  throw Error(
      fmt::format("cannot read the config file {}: {}", quote(path), std::generic_category().message(error)));
}

std::string read_file(const std::string& path) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail(path, errno);
  std::string text(kMostBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count == 0) break;
    if (count < 0 && errno != EINTR) fail(path, errno);
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  if (size > kMostBytes) fail(path, EFBIG);
  text.resize(size);
  return text;
}

std::string absolute(const std::string& path) {
  char folder[PATH_MAX];
  if (path.starts_with('/') || !::getcwd(folder, sizeof folder)) return path;
  return std::string(folder) + "/" + path;
}

}  // namespace

std::vector<ConfigEntry> read_config_file(const std::string& path) {
  return parse_config(read_file(path), path, absolute(path));
}

}  // namespace squall::options
