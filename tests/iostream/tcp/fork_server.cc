// A server of two processes, for fork_server_test.py: binds, forks, and adds the sockets in each child.
#include <squall/iostream.h>

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

using namespace squall;

namespace {

// Answers a line with the id of its process. Serves one connection at a time, so another connection gets
// another process.
class IdServer : public TCPServer {
 public:
  IdServer(int id, IOLoop& loop) : TCPServer({.max_connections = 1}, loop), id_(id) {}

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n", 100);
      const std::string answer = fmt::format("{} of {}: {}", id_, ::getpid(), line);
      co_await stream.write(answer);
    }
  }

 private:
  int id_;
};

}  // namespace

int main() {
  ListenOptions options;
  options.address = "127.0.0.1";
  std::vector<OwnedFd> sockets = bind_sockets(0, options);
  fmt::print(stderr, "Serving on port {}\n", Address::local_of(sockets[0].get()).port());
  const int id = fork_processes(2);
  IOLoop loop;
  IdServer server(id, loop);
  server.add_sockets(std::move(sockets));
  loop.spawn(drain_on_signals(server, std::chrono::seconds(0)));
  loop.start();
}
