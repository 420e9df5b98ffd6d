// demos/socks_proxy/main.cc -- a SOCKS5 proxy: connects its clients to the hosts that they name.
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/adopt_sockets.h>
#include <squall/options/option_parser.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>

#include "socks_proxy.h"

using namespace squall;

int main(int argc, char** argv) {
  socks::ProxyOptions options;
  std::uint16_t port = 1080;
  ListenOptions listen;
  listen.address = "127.0.0.1";
  double timeout = 10;
  options::OptionParser line("socks_proxy", "A SOCKS5 proxy: connects its clients to where they ask to go.");
  line.bind("port", port, "port to serve on");
  line.bind("address", listen.address, "address to serve on");
  const auto user =
      line.bind("user", options.user, "user that may use the proxy; without it every client may");
  line.bind("password", options.password, "password of the user").needs(user);
  line.bind("timeout", timeout, "seconds for the client's request, and for the connection")
      .in_range(0.001, 86400.0);
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    options.timeout = std::chrono::duration<double>(timeout);
    IOLoop loop;
    socks::SocksProxy proxy(loop, options);
    proxy.listen(port, listen);
    loop.spawn(drain_on_signals(proxy, std::chrono::seconds(5)));
    log::general().info("Serving on port {}", proxy.port());
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "socks_proxy: {}\n", error.what());
    return 1;
  }
  return 0;
}
