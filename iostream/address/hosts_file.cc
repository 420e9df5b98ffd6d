#include <squall/iostream/address/hosts_file.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/file_times.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/iostream/address/resolver.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace squall {
namespace {

std::string key_of(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string key(name);
  make_lower(key);
  return key;
}

// Cuts the next word off `line`; empty at the end of the line.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

bool HostsFile::Version::operator==(const Version& other) const noexcept {
  return device == other.device && inode == other.inode && size == other.size &&
         modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
}

std::vector<Address> HostsFile::find(std::string_view name, int family) {
  refresh();
  std::vector<Address> addresses;
  const auto found = names_.find(key_of(name));
  if (found == names_.end()) return addresses;
  for (const Address& address : found->second)
    if (family == AF_UNSPEC || family == address.family()) addresses.push_back(address);
  return addresses;
}

void HostsFile::refresh() {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) {
    version_.reset();
    names_.clear();
    return;
  }
  const Version version{status.st_dev, status.st_ino, status.st_size, modified_time(status)};
  if (version_ == version) return;
  names_.clear();
  const auto size = static_cast<std::size_t>(version.size);
  if (size > kMaxSize || read(size)) {
    version_ = version;
  } else {
    version_.reset();  // the next call tries again
  }
}

// False if not all of the file could be read.
bool HostsFile::read(std::size_t size) {
  const OwnedFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return false;
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        retry_interrupted([&] { return ::read(fd.get(), text.data() + filled, size - filled); });
    if (got <= 0) return false;
    filled += static_cast<std::size_t>(got);
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    take_line(line.substr(0, line.find('#')));
  }
  return true;
}

void HostsFile::take_line(std::string_view line) {
  const std::optional<Address> address = numeric_address(std::string(next_word(line)), 0);
  if (!address) return;
  for (std::string_view name = next_word(line); !name.empty(); name = next_word(line)) {
    std::vector<Address>& addresses = names_[key_of(name)];
    // Linear, as few names have more than two addresses.
    if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
      addresses.push_back(*address);
  }
}

}  // namespace squall
