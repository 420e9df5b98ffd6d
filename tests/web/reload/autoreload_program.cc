// tests/web/reload/autoreload_program.cc -- a server for autoreload_test.py. Its version is the text behind
// the last `=` of its executable: the test appends one.
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/autoreload.h>
#include <squall/web.h>

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace squall;

namespace {

std::string read_version() {
  std::ifstream file("/proc/self/exe", std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(file.tellg());
  file.seekg(size - 16);
  const std::string end{std::istreambuf_iterator<char>(file), {}};
  const std::size_t equals = end.rfind('=');
  return equals == end.npos ? "none" : end.substr(equals + 1);
}
const std::string g_version = read_version();

std::string text_of(const char* variable) {
  const char* const value = std::getenv(variable);
  return value ? value : "unset";
}

class VersionHandler : public web::RequestHandler {
 public:
  void get() {
    write(fmt::format("{} {} {} {}", g_version, ::getpid(), text_of("TEST_KEPT"), text_of("TEST_SET")));
  }
};

class SlowHandler : public web::RequestHandler {
 public:
  Task<> get() {
    log::general().info("Slow request");
    co_await sleep(std::chrono::milliseconds(400));
    write(g_version);
  }
};

web::Settings settings_of(int argc, char** argv) {
  web::Settings settings;
  if (g_version == "plain") return settings;
  settings.debug = true;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string what = argv[i];
    if (what == "templates") settings.template_path = argv[i + 1];
    if (what == "templates") settings.compiled_template_cache = true;
    if (what != "translations") continue;
    auto locales = std::make_shared<web::Locales>();
    locales->load_translations(argv[i + 1]);
    settings.locales = locales;
  }
  return settings;
}

}  // namespace

Task<> say_later(std::string text) {
  co_await sleep(std::chrono::milliseconds(300));
  log::general().info("{}", text);
}

// Reload tasks, of which the second drops the others, and an application that drains.
struct Dropped {
  explicit Dropped(std::unique_ptr<web::Application> made) : app(std::move(made)) {}

  static Task<> drop(Dropped& dropped) {
    dropped.app.reset();
    dropped.before.reset();
    dropped.behind.reset();
    log::general().info("Dropped");
    co_return;
  }

  std::unique_ptr<web::Application> app;
  std::optional<autoreload::ReloadTask> before{std::in_place, [] { return say_later("A task went on"); }};
  autoreload::ReloadTask dropper{[this] { return drop(*this); }};
  std::optional<autoreload::ReloadTask> behind{std::in_place, [] { return say_later("A task began"); }};
};

std::unique_ptr<web::Application> small_application(int argc, char** argv) {
  auto app = std::make_unique<web::Application>(std::vector<web::Rule>{web::url<VersionHandler>("/")},
                                                settings_of(argc, argv));
  app->listen(0, {.address = "127.0.0.1"});
  return app;
}

// autoreload_program [drops 1] [alarm 1] [unix PATH] [watch PATH] [port PORT] [templates FOLDER]
//                    [translations FOLDER]
int main(int argc, char** argv) {
  log::enable_pretty_logging();
  if (g_version == "crash") {
    log::general().error("This version ends at its start");
    return 3;
  }
  if (g_version == "waits") {
    log::general().error("This version has failed, and waits for a change");
    autoreload::wait();
    return 4;
  }
  ::setenv("TEST_SET", "1", 1);
  IOLoop loop;
  web::Application app({web::url<VersionHandler>("/"), web::url<SlowHandler>("/slow")},
                       settings_of(argc, argv));
  std::uint16_t port = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string what = argv[i];
    if (what == "unix") app.listen_unix(argv[i + 1]);
    if (what == "watch") autoreload::watch(argv[i + 1]);
    if (what == "port") port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
  }
  const char* const address = g_version == "moved" ? "127.0.0.2" : "127.0.0.1";
  const http::HTTPServer& server =
      app.listen(port, {.address = g_version == "plain" ? "localhost" : address});
  std::optional<Dropped> dropped;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string what = argv[i];
    if (what == "drops") dropped.emplace(small_application(argc, argv));
    if (what != "alarm") continue;
    loop.add_signal_handler(SIGALRM, [] { log::general().info("Alarm"); });
    const itimerval often{.it_interval = {0, 100'000}, .it_value = {0, 100'000}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
  }
  autoreload::add_reload_hook([text = std::string("First hook")] {
    for (int i = 0; i < 20; ++i) autoreload::add_reload_hook([] { log::general().info("Added hook"); });
    log::general().info("{}", text);
  });
  autoreload::add_reload_hook([] { throw std::runtime_error("of the second hook"); });
  autoreload::add_reload_hook([] { log::general().info("Third hook"); });
  log::general().info("Serving on port {}, version {}", server.port(), g_version);
  loop.spawn(drain_on_signals(app.servers(), std::chrono::seconds(1)));
  loop.start();
}
