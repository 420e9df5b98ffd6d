// demos/ticker/main.cc -- one publisher of prices, and viewers that can be made slow.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>
#include <squall/websocket.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "market.h"
#include "viewer.h"

using namespace squall;
using namespace std::chrono_literals;
using nlohmann::json;
using ticker::Market;
using ticker::Viewer;
using websocket::Hub;
using websocket::QueueOptions;
using websocket::SubscriptionId;

namespace {

constexpr std::array<const char*, 4> kPolicies{"keep_latest", "drop_oldest", "drop_newest", "close"};
constexpr std::chrono::milliseconds kLongestPause = 1s;

// The server's figures of the connection of a viewer.
struct Delivery {
  std::uint64_t dropped = 0;  // on all connections so far
  std::uint64_t waiting = 0;  // bytes
  std::uint64_t closed = 0;   // connections that have ended
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::size_t viewers = 4;
  double rate = 200;  // prices a second
  std::string pages = TICKER_PAGES;
};

// The prices, for pages and viewers: `/prices?policy=keep_latest`.
class PricesSocket : public websocket::WebSocketHandler {
 public:
  void initialize(Hub& hub, std::vector<Delivery>& deliveries) {
    hub_ = &hub;
    deliveries_ = &deliveries;
  }
  void prepare() {
    const auto policy = ticker::parse_policy(get_argument("policy", "keep_latest"));
    if (!policy) throw web::HTTPError(400, "there is no such policy");
    queue_.when_full = *policy;
    queue_.max_messages = 200;
    viewer_ = argument<std::optional<std::size_t>>("viewer");
    if (viewer_ && *viewer_ >= deliveries_->size()) throw web::HTTPError(400, "there is no such viewer");
  }
  void open() {
    // The kernel would hold seconds of prices for a slow viewer.
    const int size = 16 * 1024;
    ::setsockopt(connection().stream().fd(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    websocket::SubscribeOptions options;
    options.queue = queue_;
    subscription_ = hub_->subscribe(connection(), "prices.>", options);
    if (viewer_) watch_.emplace(100ms, [this] { look(); }).start();
  }
  void on_message(std::string_view) {
    close(websocket::close_code::kPolicyViolation, "nothing is read here");
  }
  void on_close() {
    watch_.reset();
    if (viewer_) ++(*deliveries_)[*viewer_].closed;
  }

 private:
  void look() {
    Delivery& delivery = (*deliveries_)[*viewer_];
    const std::uint64_t dropped = hub_->dropped_messages(subscription_);
    delivery.dropped += dropped - std::exchange(dropped_, dropped);
    delivery.waiting = connection().waiting_bytes();
  }

  Hub* hub_ = nullptr;
  std::vector<Delivery>* deliveries_ = nullptr;
  QueueOptions queue_{};
  std::optional<std::size_t> viewer_;  // nullopt: a page
  SubscriptionId subscription_{};
  std::uint64_t dropped_ = 0;
  std::optional<PeriodicCallback> watch_;
};

using Viewers = std::vector<std::unique_ptr<Viewer>>;

class ControlSocket;
using Controls = std::set<ControlSocket*>;

// Sends the figures of all viewers to the pages. A page sends the pause of a viewer:
// `{"viewer": 2, "pause": 50}`.
class ControlSocket : public websocket::WebSocketHandler {
 public:
  void initialize(Controls& controls, Viewers& viewers) {
    controls_ = &controls;
    viewers_ = &viewers;
  }
  void open() { controls_->insert(this); }
  void on_message(std::string_view text) {
    const json message = json::parse(text, nullptr, false);
    if (!message.is_object()) return refuse();
    const auto viewer = message.find("viewer");
    const auto pause = message.find("pause");
    if (viewer == message.end() || pause == message.end() || !viewer->is_number_unsigned() ||
        !pause->is_number_unsigned() || *viewer >= viewers_->size())
      return refuse();
    const auto longest = static_cast<std::uint64_t>(kLongestPause.count());
    (*viewers_)[viewer->get<std::size_t>()]->set_pause(
        std::chrono::milliseconds(std::min(pause->get<std::uint64_t>(), longest)));
  }
  void on_close() { controls_->erase(this); }

 private:
  void refuse() { close(websocket::close_code::kPolicyViolation, "not a viewer and its pause"); }

  Controls* controls_ = nullptr;
  Viewers* viewers_ = nullptr;
};

class PageHandler : public web::RequestHandler {
 public:
  void initialize(const std::string& page) { page_ = &page; }
  void get() {
    std::string page = *page_;
    for (const std::string name : {"ticker.css", "ticker.js", "icon.svg"}) {
      const std::string mark = "{" + name + "}";
      page.replace(page.find(mark), mark.size(), static_url(name));
    }
    set_header("Cache-Control", "no-cache");
    write(page);
  }

 private:
  const std::string* page_ = nullptr;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Program {
 public:
  explicit Program(const Options& options)
      : options_(options),
        page_(read_file(options.pages + "/index.html")),
        deliveries_(options.viewers),
        app_(
            {
                web::url<PageHandler>("/", std::cref(page_)),
                web::url<PricesSocket>("/prices", std::ref(hub_), std::ref(deliveries_)),
                web::url<ControlSocket>("/control", std::ref(controls_), std::ref(viewers_)),
            },
            settings(options)),
        publish_(10ms, [this] { publish(); }),
        tell_(500ms, [this] { tell(); }) {}

  void run() {
    http::HTTPServer& server = app_.listen(options_.port, options_.listen);
    for (std::size_t i = 0; i < options_.viewers; ++i) {
      const char* policy = kPolicies[i % kPolicies.size()];
      viewers_.push_back(std::make_unique<Viewer>(
          fmt::format("ws://{}:{}/prices?policy={}&viewer={}", loopback(), server.port(), policy, i),
          policy));
    }
    publish_.start();
    tell_.start();
    log::general().info("Serving on port {}", server.port());
    loop_.spawn(drain_on_signals(server, 5s));
    loop_.start();
  }

 private:
  static web::Settings settings(const Options& options) {
    web::Settings settings;
    settings.static_path = options.pages;
    settings.middleware = {web::SecurityHeaders()};
    return settings;
  }
  // Where the viewers reach the server.
  std::string loopback() const {
    return options_.listen.address.empty() ? "127.0.0.1" : options_.listen.address;
  }

  void publish() {
    due_ += options_.rate / 100;
    for (; due_ >= 1; due_ -= 1) {
      const Market::Quote quote = market_.next();
      hub_.publish(fmt::format("prices.{}", quote.symbol), quote.to_json());
    }
  }

  void tell() {
    json state = {{"rate", options_.rate}, {"viewers", json::array()}};
    for (std::size_t i = 0; i < viewers_.size(); ++i) {
      const Viewer& viewer = *viewers_[i];
      state["viewers"].push_back({{"policy", viewer.policy()},
                                  {"pause", viewer.pause().count()},
                                  {"received", viewer.received()},
                                  {"behind", market_.quotes() - viewer.last()},
                                  {"dropped", deliveries_[i].dropped},
                                  {"waiting", deliveries_[i].waiting},
                                  {"closed", deliveries_[i].closed}});
    }
    const std::string text = state.dump();
    for (ControlSocket* control : controls_) control->post_message(text);
  }

  IOLoop loop_;
  Options options_;
  std::string page_;
  Market market_;
  double due_ = 0;  // prices that should have been published by now
  Hub hub_;
  std::vector<Delivery> deliveries_;
  Controls controls_;
  Viewers viewers_;
  web::Application app_;
  PeriodicCallback publish_;
  PeriodicCallback tell_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("ticker", "Publishes invented prices to viewers that can be made slow.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("viewers", options.viewers, "viewers of the program itself, with the policies in turn");
  line.bind("rate", options.rate, "prices a second").in_range(0.1, 10'000.0);
  line.bind("pages", options.pages, "folder of the page, its style and its script");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    Program program(options);
    program.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "ticker: {}\n", error.what());
    return 1;
  }
  return 0;
}
