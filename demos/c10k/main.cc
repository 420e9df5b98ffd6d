// demos/c10k/main.cc -- opens 10,000 WebSockets against itself, and shows what they cost on a page.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fleet.h"
#include "terminal.h"
#include "worker.h"

using namespace squall;
using namespace std::chrono_literals;
using c10k::Fleet;
using c10k::Sample;

namespace {

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  c10k::FleetOptions fleet;
  double seconds = 0;  // 0: until a signal
  bool tui = false;
  std::string pages = C10K_PAGES;
};

class Viewer;
using Viewers = std::set<Viewer*>;

// A page that is open: gets all samples so far, and then each new one.
class Viewer : public websocket::WebSocketHandler {
 public:
  static constexpr bool keep_request = false;
  void initialize(Viewers& viewers, const Fleet& fleet) {
    viewers_ = &viewers;
    fleet_ = &fleet;
  }
  void open() {
    for (const Sample& sample : fleet_->samples()) post_message(sample.to_json());
    viewers_->insert(this);
  }
  void on_message(std::string_view) {}
  void on_close() { viewers_->erase(this); }

 private:
  Viewers* viewers_ = nullptr;
  const Fleet* fleet_ = nullptr;
};

class PageHandler : public web::RequestHandler {
 public:
  void initialize(const std::string& page, const Options& options) {
    page_ = &page;
    options_ = &options;
  }
  void get() {
    std::string page = *page_;
    replace_all(page, "{nonce}", web::SecurityHeaders::nonce(*this));
    replace_all(page, "{connections}", fmt::to_string(options_->fleet.connections));
    replace_all(page, "{processes}", fmt::to_string(options_->fleet.processes));
    write(page);
  }

 private:
  static void replace_all(std::string& page, std::string_view mark, std::string_view text) {
    for (std::size_t at = 0; (at = page.find(mark, at)) != page.npos; at += text.size())
      page.replace(at, mark.size(), text);
  }

  const std::string* page_ = nullptr;
  const Options* options_ = nullptr;
};

constexpr std::string_view kIcon =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">)"
    R"(<rect width="32" height="32" rx="8" fill="#1566c0"/>)"
    R"(<path d="M5 23l6-7 5 4 5-9 6 3" fill="none" stroke="#fff" stroke-width="2.5"/></svg>)";

void send_icon(web::RequestHandler& handler) {
  handler.set_header("Content-Type", "image/svg+xml");
  handler.write(kIcon);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As many descriptors as a process may have. The workers inherit the limit.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void check(const Options& options) {
  constexpr std::size_t kOthers = 200;    // listening sockets, pipes, connections that are closing
  constexpr std::size_t kPorts = 20'000;  // of one address that the kernel gives to clients, some less
  const std::size_t each = (options.fleet.connections - 1) / options.fleet.processes + 1;
  const std::size_t limit = raise_descriptor_limit();
  // A server keeps an eighth of its descriptors for itself.
  if (each + kOthers > limit - limit / 8)
    throw std::runtime_error(
        fmt::format("{} connections in one process need more than its {} descriptors: raise `ulimit -n`, or "
                    "use --processes {}",
                    each, limit, options.fleet.connections / (limit - limit / 8 - kOthers) + 1));
  if (each > kPorts * 100) throw std::runtime_error("too many connections for the ports of 100 addresses");
}

class Program {
 public:
  explicit Program(const Options& options)
      : options_(options),
        page_(read_file(options.pages + "/index.html")),
        app_({
            web::url<PageHandler>("/", std::cref(page_), std::cref(options_)).with(web::SecurityHeaders()),
            web::url("/icon.svg", &send_icon),
            web::url<Viewer>("/live", std::ref(viewers_), std::cref(fleet_)),
        }),
        fleet_(options.fleet, [this](const Sample& sample) { show(sample); }) {}

  int run() {
    http::HTTPServer& server = app_.listen(options_.port, options_.listen);
    log::general().info("Serving on port {}", server.port());
    if (options_.tui) screen_.emplace();
    loop_.spawn(drain_on_signals(server, 1s));
    if (options_.seconds > 0)
      loop_.call_later(std::chrono::duration<double>(options_.seconds), [this] { loop_.stop(); });
    loop_.start();
    screen_.reset();
    return summary();
  }

 private:
  void show(const Sample& sample) {
    const std::string json = sample.to_json();
    for (Viewer* viewer : viewers_) viewer->post_message(json);
    if (screen_) {
      const std::string page =
          c10k::draw(fleet_.samples(), options_.fleet.connections, c10k::Screen::width());
      std::fwrite(page.data(), 1, page.size(), stdout);
      std::fflush(stdout);
    }
    if (all_open_) {
      processors_ += sample.cpu;
      ++samples_with_all_;
    }
    if (!all_open_ && sample.open == options_.fleet.connections) {
      all_open_ = true;
      log::general().info("{} connections are open after {:.1f} s", sample.open, sample.seconds);
    }
    if (fleet_.ended() == 2 * options_.fleet.processes) loop_.stop();
  }

  // 1 if a worker has ended, or not all connections were open after --seconds.
  int summary() const {
    if (fleet_.samples().empty()) return 0;
    const Sample& last = fleet_.samples().back();
    const auto milliseconds = [](std::optional<std::chrono::microseconds> latency) {
      return latency ? static_cast<double>(latency->count()) / 1000 : 0;
    };
    fmt::print(
        "{} connections open, {} lost, {} failed to connect; {:.0f} messages/s, median {:.2f} ms, 99 % "
        "{:.2f} ms; "
        "{:.0f} bytes a connection, {:.3f} processors\n",
        last.open, last.lost, last.failed, last.messages, milliseconds(last.p50), milliseconds(last.p99),
        last.bytes, samples_with_all_ > 0 ? processors_ / samples_with_all_ : last.cpu);
    const bool has_failed = options_.seconds > 0 && last.open != options_.fleet.connections;
    return has_failed || fleet_.ended() > 0 ? 1 : 0;
  }

  IOLoop loop_;
  Options options_;
  std::string page_;
  Viewers viewers_;
  std::optional<c10k::Screen> screen_;
  bool all_open_ = false;
  double processors_ = 0;  // the sum of the samples since then
  int samples_with_all_ = 0;
  web::Application app_;
  Fleet fleet_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.fleet.program = argv[0];
  std::string worker;
  options::OptionParser line("c10k", "Opens WebSockets against itself, and shows what they cost on a page.");
  line.bind("port", options.port, "port of the page");
  line.bind("address", options.listen.address, "address of the page; all interfaces without it");
  line.bind("connections", options.fleet.connections, "WebSockets to hold").positive();
  line.bind("processes", options.fleet.processes,
            "server processes that share them; each has a process of clients")
      .in_range(1, 64);
  line.bind("messages", options.fleet.messages, "messages a second, over all connections");
  line.bind("ping_interval", options.fleet.ping_interval,
            "seconds between two pings of each connection; 0: no pings")
      .non_negative();
  line.bind("seconds", options.seconds, "end after this time, with a summary; 0: at a signal").non_negative();
  line.bind("tui", options.tui, "draw in the terminal too");
  line.bind("pages", options.pages, "folder of the page");
  line.bind("worker", worker, "for the program itself: run as one of its workers")
      .one_of({"server", "client"});
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    if (worker == "server") {
      c10k::run_server(options.fleet.ping_interval);
      return 0;
    }
    if (worker == "client") {
      const c10k::ClientOptions clients{options.port, options.fleet.connections, options.fleet.messages};
      c10k::run_clients(clients);
      return 0;
    }
    if (options.tui && !::isatty(STDOUT_FILENO)) throw std::runtime_error("--tui needs a terminal");
    log::enable_pretty_logging();
    check(options);
    Program program(options);
    return program.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "c10k: {}\n", error.what());
    return 1;
  }
}
