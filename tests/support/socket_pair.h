#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.h"

namespace squall::testing {

// Two connected non-blocking sockets, for tests of ioloop: bytes that are put at the far end can be read at
// this one.
struct SocketPair {
  SocketPair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    near.reset(fds[0]);
    far.reset(fds[1]);
  }
  void put() const { REQUIRE(::write(far.get(), "x", 1) == 1); }
  void get() const {
    char byte;
    REQUIRE(::read(near.get(), &byte, 1) == 1);
  }
  // Until `near` takes no more.
  void fill() const {
    const std::string bytes(64 * 1024, 'x');
    while (::write(near.get(), bytes.data(), bytes.size()) > 0) {
    }
  }
  void drain_far() const {
    char bytes[64 * 1024];
    while (::read(far.get(), bytes, sizeof bytes) > 0) {
    }
  }

  OwnedFd near;
  OwnedFd far;
};

}  // namespace squall::testing
