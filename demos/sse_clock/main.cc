// demos/sse_clock/main.cc -- sends the time to every open page, and the words of a poem to each reader alone.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
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

using namespace squall;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Clock</title>
<link rel="icon" href="/icon.svg">
<style nonce="{nonce}">
:root { color-scheme: light dark; --page: #fbf3e7; --text: #3b2f2a; --faint: #8a7565; --ring: #e07a3f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #171320; --text: #efe6f5; --faint: #a393b3; --ring: #f0a35e; }
}
body { margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center;
       background: var(--page); color: var(--text); font: 1.2rem/1.6 Georgia, "DejaVu Serif", serif; }
h1 { display: grid; place-content: center; justify-items: center; width: 18rem; aspect-ratio: 1; margin: 1rem;
     border: .35rem solid var(--ring); border-radius: 50%; color: var(--faint); font-size: 1rem;
     font-weight: 400; }
#clock { font-size: 3.4rem; line-height: 1.3; color: var(--text); font-variant-numeric: tabular-nums; }
#poem { max-width: 28rem; min-height: 4em; margin: 1rem 1.5rem; font-style: italic; text-align: center; }
</style>
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

constexpr std::string_view kIcon =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">)"
    R"(<circle cx="16" cy="16" r="13" fill="#fff" stroke="#e07a3f" stroke-width="3"/>)"
    R"(<path d="M16 8v8l5 4" fill="none" stroke="#3b2f2a" stroke-width="2.5"/></svg>)";

constexpr std::string_view kPoem[] = {"The",  "clock", "strikes", "one,", "the",  "mouse", "comes",
                                      "down", "and",   "all",     "of",   "this", "is",    "streamed."};

class PageHandler : public web::RequestHandler {
 public:
  void get() {
    std::string page(kPage);
    for (std::size_t at = 0; (at = page.find(kMark, at)) != page.npos;)
      page.replace(at, kMark.size(), web::SecurityHeaders::nonce(*this));
    write(page);
  }

 private:
  static constexpr std::string_view kMark = "{nonce}";
};

void send_icon(web::RequestHandler& handler) {
  handler.set_header("Content-Type", "image/svg+xml");
  handler.write(kIcon);
}

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
                        web::url("/icon.svg", &send_icon), web::url<ClockHandler>("/clock", std::ref(hub)),
                        web::url<PoemHandler>("/poem")});
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
  options::OptionParser line("sse_clock", "Sends the time, and a poem, as server-sent events.");
  line.bind("port", port, "port to serve on");
  line.bind("address", listen.address, "address to serve on; all interfaces without it");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(port, listen);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sse_clock: {}\n", error.what());
    return 1;
  }
  return 0;
}
