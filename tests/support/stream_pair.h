#pragma once

#include <squall/iostream.h>

#include <string>
#include <string_view>
#include <utility>

namespace squall::testing {

// Two connected TCP sockets over loopback, non-blocking.
std::pair<OwnedFd, OwnedFd> tcp_pair();
// The same as streams.
std::pair<IOStream, IOStream> connected_pair(IOLoop& loop, IOStream::Options options = IOStream::Options());

// A peer with a blocking socket, for tests that determine which bytes are sent, and when.
class RawPeer {
 public:
  explicit RawPeer(OwnedFd fd);
  // Connects to 127.0.0.1.
  explicit RawPeer(std::uint16_t port);

  void send(std::string_view bytes);
  // Sends as many bytes as the kernel takes without blocking; returns their number.
  std::size_t send_some(std::string_view bytes);
  void half_close();
  // Ends the connection with a reset instead of an orderly close.
  void reset();
  void close() { fd_.reset(); }
  int fd() const noexcept { return fd_.get(); }

  // The bytes that have arrived; does not block.
  std::string received();
  // Appends the bytes that have arrived to `all`; true once the peer has closed or reset the connection.
  bool drain(std::string& all);

 private:
  OwnedFd fd_;
};

}  // namespace squall::testing
