// demos/sse_clock/main.cc -- sends the time to every open page, and the words of a poem to each reader alone.
#include <squall/ioloop/base/log.h>
#include <squall/web.h>

#include <fmt/chrono.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "command_line.h"

using namespace squall;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Clock</title>
<h1>It is <time id="clock">…</time></h1>
<p id="poem"></p>
<script nonce="{nonce}">
new EventSource("/clock").onmessage = event => { clock.textContent = event.data; };
const words = new EventSource("/poem");
words.onmessage = event => { poem.textContent += event.data + " "; };
words.addEventListener("done", () => words.close());
</script>
</html>
)";

constexpr std::string_view kPoem[] = {"The",  "clock", "strikes", "one,", "the",  "mouse", "comes",
                                      "down", "and",   "all",     "of",   "this", "is",    "streamed."};

class PageHandler : public web::RequestHandler {
 public:
  void get() {
    std::string page(kPage);
    page.replace(page.find("{nonce}"), 7, web::SecurityHeaders::nonce(*this));
    write(page);
  }
};

// The same events for all clients.
class ClockHandler : public web::RequestHandler {
 public:
  void initialize(web::EventHub& hub) { hub_ = &hub; }
  Task<> get() { return hub_->serve(*this); }

 private:
  web::EventHub* hub_ = nullptr;
};

// Events of one client, as the tokens of a language model. The work ends with the client, and a client that
// comes back gets the words behind the last one that it has.
class PoemHandler : public web::RequestHandler {
 public:
  Task<> get() {
    web::EventStream events(*this);
    for (std::size_t i = index_after(events.last_event_id()); i < std::size(kPoem); ++i) {
      const std::string id = fmt::to_string(i);
      const web::ServerSentEvent word{.data = kPoem[i], .id = id};
      co_await events.send(word);
      co_await sleep(200ms);
    }
    const web::ServerSentEvent done{.event = "done"};
    co_await events.send(done);
  }

 private:
  static std::size_t index_after(std::string_view id) {
    for (std::size_t i = 0; i < std::size(kPoem); ++i)
      if (id == fmt::to_string(i)) return i + 1;
    return 0;
  }
};

void publish_time(web::EventHub& hub) {
  const std::string now = fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
  hub.publish({.data = now});
}

// After SIGTERM the streams end, so that the server can drain; a second signal ends the program at once.
Task<> close_on_signal(IOLoop& loop, web::EventHub& hub) {
  co_await loop.signal(SIGINT, SIGTERM);
  hub.close();
}

void serve(std::uint16_t port, const ListenOptions& listen) {
  IOLoop loop;
  web::EventHub hub;
  web::Application app({web::url<PageHandler>("/").with(web::SecurityHeaders()),
                        web::url<ClockHandler>("/clock", std::ref(hub)), web::url<PoemHandler>("/poem")});
  http::HTTPServer& server = app.listen(port, listen);
  PeriodicCallback tick(1s, [&hub] { publish_time(hub); });
  tick.start();
  log::general().info("Serving on port {}", server.port());
  loop.spawn(close_on_signal(loop, hub));
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  ListenOptions listen;
  tools::CommandLine line("sse_clock", "Sends the time, and a poem, as server-sent events.");
  line.option("--port", port, "port to serve on").show_default();
  line.option("--address", listen.address, "address to serve on; all interfaces without it");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    serve(port, listen);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sse_clock: {}\n", error.what());
    return 1;
  }
  return 0;
}
