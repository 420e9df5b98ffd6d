#include <squall/iostream/address/unix_address.h>

#include <squall/iostream/address/address_system.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace squall {
namespace {

constexpr std::size_t kNameAt = offsetof(sockaddr_un, sun_path);
// A path ends with NUL; an abstract name begins with NUL.
constexpr std::size_t kMaxName = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

UnixAddress::UnixAddress(std::string_view name) {
  if (name.empty()) throw std::invalid_argument("the name of a Unix socket is empty");
  const bool is_abstract = name[0] == '\0' || name[0] == '@';
  if (is_abstract && !detail::has_abstract_names())
    throw std::invalid_argument("this system has no abstract Unix sockets");
  if (!is_abstract && name.find('\0') != name.npos)
    throw std::invalid_argument("the path of a Unix socket contains a NUL");
  if (name.size() - is_abstract > kMaxName)
    throw std::system_error(ENAMETOOLONG, std::generic_category(),
                            fmt::format("the name of a Unix socket has at most {} bytes: {}", kMaxName,
                                        name.substr(name[0] == '\0')));
  storage_.sun_family = AF_UNIX;
  length_ = name.copy(storage_.sun_path, sizeof storage_.sun_path);
  if (is_abstract) storage_.sun_path[0] = '\0';
}

template <class Call>
UnixAddress UnixAddress::ask(Call call, int fd) noexcept {
  UnixAddress address;
  socklen_t length = sizeof address.storage_;
  if (call(fd, reinterpret_cast<sockaddr*>(&address.storage_), &length) != 0 ||
      address.storage_.sun_family != AF_UNIX)
    return UnixAddress();
  const std::size_t room = std::min<std::size_t>(length, sizeof address.storage_);
  if (room <= kNameAt) return address;
  address.length_ = room - kNameAt;
  // The kernel's length of a path includes its NUL, and may be all of sun_path.
  if (address.storage_.sun_path[0] != '\0')
    address.length_ = ::strnlen(address.storage_.sun_path, address.length_);
  if (address.storage_.sun_path[0] == '\0' && !detail::has_abstract_names()) address.length_ = 0;
  return address;
}

UnixAddress UnixAddress::local_of(int fd) noexcept { return ask(::getsockname, fd); }
UnixAddress UnixAddress::peer_of(int fd) noexcept { return ask(::getpeername, fd); }

std::string UnixAddress::to_string() const {
  if (is_unnamed()) return "unix";
  return is_abstract() ? fmt::format("unix:@{}", name().substr(1)) : fmt::format("unix:{}", name());
}

socklen_t UnixAddress::size() const noexcept {
  return static_cast<socklen_t>(kNameAt + length_ + (is_unnamed() || is_abstract() ? 0 : 1));
}

}  // namespace squall

fmt::format_context::iterator fmt::formatter<squall::UnixAddress>::format(
    const squall::UnixAddress& address, fmt::format_context& context) const {
  return std::ranges::copy(address.to_string(), context.out()).out;
}
