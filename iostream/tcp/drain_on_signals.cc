#include <squall/iostream/tcp/drain_on_signals.h>

#include <squall/iostream/tcp/tcp_server.h>

#include <signal.h>

#include <stdexcept>
#include <utility>

namespace squall {
namespace {

using Servers = std::vector<std::reference_wrapper<TCPServer>>;

Task<> wait_and_drain(Servers servers, TimeSpan limit) {
  IOLoop& loop = servers.front().get().loop();
  co_await loop.signal(SIGINT, SIGTERM);
  loop.stop_on_signals();
  co_await TCPServer::drain_all(std::move(servers), limit);
  loop.stop();
}

}  // namespace

Task<> drain_on_signals(Servers servers, TimeSpan limit) {
  if (servers.empty()) throw std::invalid_argument("drain_on_signals() needs a server");
  for (const TCPServer& server : servers)
    if (&server.loop() != &servers.front().get().loop())
      throw std::invalid_argument("the servers of drain_on_signals() must have one loop: see run_loops()");
  return wait_and_drain(std::move(servers), limit);
}

Task<> drain_on_signals(TCPServer& server, TimeSpan limit) {
  return drain_on_signals(Servers{server}, limit);
}

}  // namespace squall
