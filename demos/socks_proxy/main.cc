// demos/socks_proxy/main.cc -- a SOCKS5 proxy: connects its clients to where they ask to go.
#include <squall/ioloop/base/log.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <exception>

#include "socks_proxy.h"

using namespace squall;

int main(int argc, char** argv) {
  socks::ProxyOptions options;
  std::uint16_t port = 1080;
  ListenOptions listen;
  listen.address = "127.0.0.1";
  double timeout = 10;
  CLI::App cli("A SOCKS5 proxy: connects its clients to where they ask to go.", "socks_proxy");
  cli.add_option("--port", port, "port to serve on")->capture_default_str();
  cli.add_option("--address", listen.address, "address to serve on")->capture_default_str();
  CLI::Option* const user = cli.add_option("--user", options.user, "who may use it; anybody without it");
  cli.add_option("--password", options.password, "and the password")->needs(user);
  cli.add_option("--timeout", timeout, "seconds for a client to say what it wants, and to connect it")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 86400.0));
  cli.failure_message([](const CLI::App* app, const CLI::Error& error) {
    return fmt::format("{}: {}\n", app->get_name(), error.what());
  });
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  log::enable_pretty_logging();
  try {
    options.timeout = std::chrono::duration_cast<IOLoop::Duration>(std::chrono::duration<double>(timeout));
    IOLoop loop;
    loop.stop_on_signals();
    socks::SocksProxy proxy(loop, options);
    proxy.listen(port, listen);
    log::general().info("Serving on port {}", proxy.port());
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "socks_proxy: {}\n", error.what());
    return 1;
  }
  return 0;
}
