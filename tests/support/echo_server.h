#pragma once

#include <squall/iostream.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::testing {

inline ListenOptions loopback() {
  ListenOptions options;
  options.address = "127.0.0.1";
  return options;
}

// Echoes lines. `who\n` is answered with the address of the client, `proxy\n` with the address of the other
// end of the socket.
class EchoServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

 protected:
  Task<> handle_stream(IOStream stream, Address peer) override {
    const Live live;
    for (;;) {
      std::string line = co_await stream.read_until("\n", 100);
      if (line == "who\n") line = peer.to_string() + "\n";
      if (line == "proxy\n") line = Address::peer_of(stream.fd()).to_string() + "\n";
      co_await stream.write(line);
    }
  }
};

// Sends a line and returns the answer, up to the end of the stream if there is one.
inline std::string ask(TestLoop& loop, RawPeer& peer, std::string_view line) {
  if (peer.send_some(line) < line.size()) return "";
  std::string all;
  loop.run_until([&] { return peer.drain(all) || all.ends_with('\n'); });
  return all;
}

// Whether the server has closed the connection without sending a byte.
inline bool is_closed(RawPeer& peer) {
  std::string all;
  return peer.drain(all) && all.empty();
}
// The same for a connection that the server has closed by now: on a busy machine the kernel may tell the peer
// later.
inline bool gets_closed(RawPeer& peer) {
  pollfd waiting{.fd = peer.fd(), .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, 5000);
  return is_closed(peer);
}

// Connects to 127.0.0.1 from another address of the loopback network.
inline RawPeer connect_from(const std::string& ip, std::uint16_t port) {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address from = Address::parse_ip(ip).value();
  const Address to = Address::parse_ip("127.0.0.1", port).value();
  REQUIRE(::bind(fd.get(), from.data(), from.size()) == 0);
  REQUIRE(::connect(fd.get(), to.data(), to.size()) == 0);
  return RawPeer(std::move(fd));
}

inline RawPeer connect_unix(const std::string& name) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UnixAddress to(name);
  REQUIRE(::connect(fd.get(), to.data(), to.size()) == 0);
  return RawPeer(std::move(fd));
}

}  // namespace squall::testing
