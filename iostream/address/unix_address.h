#pragma once

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace squall {

// The name of a Unix socket: a path, or on Linux a name in the abstract namespace. An abstract name has no
// file and no permissions, and vanishes with its last socket.
//
// Thread:    any.
class UnixAddress {
 public:
  // Unnamed, like the sockets of most clients.
  UnixAddress() noexcept = default;
  // A name that begins with NUL (NET-11) or, as other tools spell it, with `@` is abstract; the path of a
  // file `@x` is `./@x`. Throws std::invalid_argument for an empty name or a NUL within a path, and
  // std::system_error, ENAMETOOLONG, for more bytes than a socket address holds (107 on Linux).
  explicit UnixAddress(std::string_view name);
  // The names of a socket; unnamed if the system call fails, or for a socket of another family.
  static UnixAddress local_of(int fd) noexcept;
  static UnixAddress peer_of(int fd) noexcept;

  bool is_unnamed() const noexcept { return name().empty(); }
  bool is_abstract() const noexcept { return name().starts_with('\0'); }
  // The path, or NUL and the abstract name; a view into this object.
  std::string_view name() const noexcept { return {storage_.sun_path, length_}; }
  // `unix:/run/app.sock`, `unix:@name`, `unix`.
  std::string to_string() const;

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept;

 private:
  template <class Call>
  static UnixAddress ask(Call call, int fd) noexcept;

  sockaddr_un storage_{};
  std::size_t length_ = 0;  // the length of the name
};

}  // namespace squall

// As to_string(), for `{}`.
template <>
struct fmt::formatter<squall::UnixAddress> {
  constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
  fmt::format_context::iterator format(const squall::UnixAddress& address,
                                       fmt::format_context& context) const;
};
