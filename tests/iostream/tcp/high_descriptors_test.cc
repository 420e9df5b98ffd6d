#include <squall/ioloop/coro/wait_ready.h>
#include <squall/iostream/process/subprocess.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/tcp/tcp_client.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/descriptor_limit.h"
#include "support/test_loop.h"

namespace squall::high_descriptors_test {
namespace {

using testing::DescriptorLimit;
using testing::TestLoop;

Task<> greet(int listener, int& fd) {
  co_await wait_readable(listener);
  IOStream stream(accept_from(listener).fd);
  fd = stream.fd();
  const std::string line = co_await stream.read_until("\n");
  co_await stream.write("hello, " + line);
}

Task<std::string> ask(std::uint16_t port, int& fd) {
  IOStream stream = co_await TCPClient::connect("127.0.0.1", port);
  fd = stream.fd();
  co_await stream.write("world\n");
  std::string answer = co_await stream.read_until("\n");
  co_return answer;
}

Task<std::string> hear_child() {
  Subprocess::Options options;
  options.std_out = Subprocess::kStream;
  Subprocess child({"echo", "child"}, options);
  std::string line = co_await child.std_out().read_until("\n");
  co_await child.wait_for_exit();
  co_return line;
}

TEST_CASE("descriptors above FD_SETSIZE work in each poller, with sockets, pipes and children",
          "[tcp][descriptors]") {
  constexpr int kLowest = FD_SETSIZE + 16;
  const DescriptorLimit limit(kLowest + 64);
  rlimit allowed{};
  ::getrlimit(RLIMIT_NOFILE, &allowed);
  if (allowed.rlim_cur < kLowest + 64) {
    WARN("skipped: the process may open " << allowed.rlim_cur << " descriptors");
    return;
  }
  // All lower numbers are in use, so the loop's own descriptors are above, too.
  std::vector<OwnedFd> used;
  while (used.empty() || used.back().get() < kLowest)
    used.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  TestLoop loop;
  ListenOptions options;
  options.address = "127.0.0.1";
  const std::vector<OwnedFd> listeners = bind_sockets(0, options);
  int near = -1;
  int far = -1;
  loop.spawn(greet(listeners[0].get(), far));
  const std::string answer = loop.run(ask(Address::local_of(listeners[0].get()).port(), near));
  CHECK(answer == "hello, world\n");
  CHECK(listeners[0].get() > FD_SETSIZE);
  CHECK(near > FD_SETSIZE);
  CHECK(far > FD_SETSIZE);
  const std::string heard = loop.run(hear_child());
  CHECK(heard == "child\n");
  bool called = false;
  loop.add_callback([&] { called = true; });
  loop.run_until([&] { return called; });
}

}  // namespace
}  // namespace squall::high_descriptors_test
