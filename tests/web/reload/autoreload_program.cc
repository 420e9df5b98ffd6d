// tests/web/reload/autoreload_program.cc -- a server for autoreload_test.py. Its version is the text behind
// the last `=` of its executable: the test appends one.
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/autoreload.h>
#include <squall/web.h>

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

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

// autoreload_program [unix PATH] [watch PATH] [port PORT] [templates FOLDER] [translations FOLDER]
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
  autoreload::add_reload_hook([] { log::general().info("First hook"); });
  autoreload::add_reload_hook([] { throw std::runtime_error("of the second hook"); });
  autoreload::add_reload_hook([] { log::general().info("Third hook"); });
  log::general().info("Serving on port {}, version {}", server.port(), g_version);
  loop.spawn(drain_on_signals(app.servers(), std::chrono::seconds(1)));
  loop.start();
}
