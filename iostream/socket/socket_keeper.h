#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/socket/bind_sockets.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::detail {

// The calls of this room to the room that keeps listening sockets open while the program is executed again,
// which is above it: see iostream/reload/socket_registry.h. A program that does not use that room has no
// keeper.
//
// Thread:    any.
struct SocketKeeper {
  // Sockets that listen already for this call of bind_sockets(); empty: it makes new ones, and calls
  // `made` with them.
  std::vector<OwnedFd> (*take)(std::uint16_t port, const ListenOptions& options);
  void (*made)(std::uint16_t port, const ListenOptions& options, const std::vector<OwnedFd>& sockets);
  // The same for bind_unix_socket().
  OwnedFd (*take_unix)(std::string_view name);
  void (*made_unix)(std::string_view name, const OwnedFd& socket);
  // listen_fds() has taken this number of descriptors, from 3 on, with these names.
  void (*inherited)(std::size_t count, const char* names);
  // The files of Unix sockets stay: the program is about to be executed again.
  bool (*keeps_files)();
};

// Null without a keeper. Set before main().
extern const SocketKeeper* g_socket_keeper;

}  // namespace squall::detail
