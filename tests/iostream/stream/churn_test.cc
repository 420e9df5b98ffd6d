// Connections that come and go: what they leave behind.
#include <squall/iostream/tcp/tcp_server.h>

#include <dirent.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cstddef>
#include <string>
#include <vector>

#include "support/descriptor_limit.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::churn_test {
namespace {

using testing::Live;
using testing::RawPeer;
using testing::TestLoop;

constexpr std::size_t kConnections = 500;
constexpr int kRounds = 20;
constexpr int kWarming = 2;  // rounds, after which the pools of memory are as full as they get
constexpr std::size_t kLarge = 40'000;

// Echoes lines.
class EchoServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    const Live live;
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n", 2 * kLarge);
      co_await stream.write(line);
    }
  }
};

int open_descriptors() {
  DIR* const directory = ::opendir("/dev/fd");
  if (!directory) return -1;
  int count = 0;
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

// Bytes that malloc has given out and not got back; 0 where nobody tells, a sanitizer among them.
std::size_t allocated() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  return ::mallinfo2().uordblks;
#else
  return 0;
#endif
}

// Every peer's line comes back, and then it goes, in one of the ways that there are: in good order, with a
// reset, in the middle of a line, and before it has read what was sent to it.
void come_and_go(TestLoop& loop, const TCPServer& server, std::string_view line, std::string_view large) {
  std::vector<RawPeer> peers;
  peers.reserve(kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) peers.emplace_back(server.port()).send(line);
  std::string answer;
  for (RawPeer& peer : peers) {
    answer.clear();
    loop.run_until([&] { return peer.drain(answer) || answer.ends_with('\n'); });
    REQUIRE(answer == line);
  }
  REQUIRE(server.connections() == kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) {
    switch (i % 4) {
      case 0: break;
      case 1: peers[i].reset(); break;
      case 2: peers[i].send("half a line"); break;
      case 3: peers[i].send(large); break;
    }
    if (i % 100 == 0) loop.run_turn();
  }
  peers.clear();
  loop.run_until([&] { return server.connections() == 0; });
  loop.run_turn();
}

TEST_CASE("connections that come and go leave neither descriptors nor memory behind", "[tcp_server]") {
  const testing::DescriptorLimit limit(2 * kConnections + 100);
  const std::string line = std::string(63, 'x') + '\n';
  const std::string large = std::string(kLarge, 'x') + '\n';
  TestLoop loop;
  EchoServer server(loop);
  ListenOptions options;
  options.address = "127.0.0.1";
  server.listen(0, options);
  const int descriptors = open_descriptors();
  for (int round = 0; round < kWarming; ++round) come_and_go(loop, server, line, large);
  const std::size_t memory = allocated();
  for (int round = kWarming; round < kRounds; ++round) {
    come_and_go(loop, server, line, large);
    CHECK(open_descriptors() == descriptors);
    CHECK(Live::count == 0);
  }
  // Less than 8 bytes a connection: the heap's own caches are not quite the same each time.
  CHECK(allocated() < memory + 8 * kConnections * (kRounds - kWarming));
}

}  // namespace
}  // namespace squall::churn_test
