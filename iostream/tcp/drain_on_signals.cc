#include <squall/iostream/tcp/drain_on_signals.h>

#include <squall/ioloop/base/log.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <signal.h>

namespace squall {

Task<> drain_on_signals(TCPServer& server, TimeSpan limit) {
  IOLoop& loop = server.loop();
  co_await loop.signal(SIGINT, SIGTERM);
  loop.stop_on_signals();
  const std::size_t cut = co_await server.drain(limit);
  if (cut > 0) log::general().info("Closed {} connections that had not ended", cut);
  loop.stop();
}

}  // namespace squall
