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

// A peer that speaks raw bytes over a blocking socket: for saying exactly what is sent, and when.
class RawPeer {
 public:
  explicit RawPeer(OwnedFd fd);
  // Connects to 127.0.0.1.
  explicit RawPeer(std::uint16_t port);

  void send(std::string_view bytes);
  // As much as the kernel takes without waiting; returns how much that was.
  std::size_t send_some(std::string_view bytes);
  void half_close();
  // Ends the connection with a reset instead of an orderly close.
  void reset();
  void close() { fd_.reset(); }
  int fd() const noexcept { return fd_.get(); }

  // What has arrived, without waiting.
  std::string received();
  // Adds what has arrived to `all`; true once the peer has closed. A reset counts as that.
  bool drain(std::string& all);

 private:
  OwnedFd fd_;
};

}  // namespace squall::testing
