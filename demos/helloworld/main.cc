// demos/helloworld/main.cc -- answers every GET of / with a greeting.
#include <squall/ioloop/log.h>
#include <squall/web.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

using namespace squall;

namespace {

class MainHandler : public web::RequestHandler {
 public:
  void get() { write("Hello, world\n"); }  // would be Task<> get() if it had to wait
  void head() { get(); }
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  int threads = 1;
};

// One loop with an application of its own; the kernel spreads the connections over those that share the port.
void serve(IOLoop& loop, const Options& options) {
  web::Application app({web::url<MainHandler>("/")});
  const http::HTTPServer& server = app.listen(options.port, options.listen);
  log::general().info("Serving on port {}", server.port());
  loop.start();
}

void serve_on_threads(const Options& options) {
  IOLoop loop;
  loop.stop_on_signals();
  std::vector<std::unique_ptr<IOLoop>> others;
  std::vector<std::thread> threads;
  for (int i = 1; i < options.threads; ++i) others.push_back(std::make_unique<IOLoop>());
  for (auto& other : others) {
    threads.emplace_back([&other, &options] {
      other->make_current();
      serve(*other, options);
    });
  }
  loop.make_current();
  serve(loop, options);
  for (auto& other : others) other->stop();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App cli("Answers every GET of / with a greeting.", "helloworld");
  cli.add_option("--port", options.port, "port to serve on")->capture_default_str();
  cli.add_option("--address", options.listen.address, "address to serve on; all interfaces without it");
  cli.add_option("--threads", options.threads, "loops, each with a thread of its own")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  log::enable_pretty_logging();
  options.listen.reuse_port = options.threads > 1;
  try {
    serve_on_threads(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "helloworld: {}\n", error.what());
    return 1;
  }
  return 0;
}
