#pragma once

#include <squall/iostream/socket/bind_sockets.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace squall::upload {

struct ReceiverOptions {
  ReceiverOptions() { listen.address = "127.0.0.1"; }

  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string folder;  // empty: counts the bytes, and stores none
  std::size_t max_size = 10'000'000'000;
};

// Serves until SIGINT or SIGTERM. The files of a request are stored only if all of the request arrives. The
// memory does not depend on their size.
//
// Errors:    std::system_error if the folder is not one, or if the port is taken.
void receive(const ReceiverOptions& options);

}  // namespace squall::upload
