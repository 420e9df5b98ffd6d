// demos/helloworld/main.cc -- answers every GET of / with a greeting.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace squall;

namespace {

class MainHandler : public web::RequestHandler {
 public:
  void get() { write("Hello, world\n"); }  // would be Task<> get() if it had to wait
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  int threads = 1;
};

// Each loop has one of its own.
struct Service {
  explicit Service(std::vector<OwnedFd> sockets) {
    log::general().info("Serving on port {}", app.add_sockets(std::move(sockets)).port());
  }
  web::Application app{{web::url<MainHandler>("/")}};
};

// After SIGTERM the requests that have begun are still answered; a second signal ends the program at once.
constexpr std::chrono::seconds kDrain{5};

void serve_alone(const Options& options) {
  IOLoop loop;
  const Service service(bind_sockets(options.port, options.listen));
  loop.spawn(drain_on_signals(service.app.servers(), kDrain));
  loop.start();
}

// One loop a thread, each with sockets of its own: the kernel spreads the connections over those that share a
// port.
void serve(Options options) {
  if (options.threads == 1) return serve_alone(options);
  options.listen.reuse_port = options.threads > 1;
  std::vector<std::vector<OwnedFd>> sockets;
  for (int i = 0; i < options.threads; ++i) {
    sockets.push_back(bind_sockets(options.port, options.listen));
    options.port = Address::local_of(sockets.back().front().get()).port();
  }
  run_loops(
      options.threads,
      [&](IOLoop&, int index) {
        return std::make_unique<Service>(std::move(sockets[static_cast<std::size_t>(index)]));
      },
      [](const std::unique_ptr<Service>& service) { return service->app.drain(kDrain); });
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("helloworld", "Answers every GET of / with a greeting.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("threads", options.threads, "loops, each with a thread of its own").in_range(1, 1024);
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "helloworld: {}\n", error.what());
    return 1;
  }
  return 0;
}
