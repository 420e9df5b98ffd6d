// demos/blog/main.cc -- a blog with one author, in SQLite or PostgreSQL.
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/adopt_sockets.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "blog.h"
#include "blog_templates.h"
#include "handlers.h"
#include "sqlite_database.h"
#ifdef BLOG_POSTGRES
#include "postgres_database.h"
#endif

using namespace squall;
using namespace std::chrono_literals;

namespace {

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen{};
  std::string sqlite = "blog.db";
  std::string postgres{};
  std::string title = "Squall blog";
  std::string templates{};
  bool debug = false;
};

// `{% module Entry(entry) %}`, with `alone=True` on the entry's own page (DEM-58).
class EntryModule : public web::UIModule {
 public:
  std::string render(const web::TemplateCall& call) override {
    const web::TemplateValue* const entry = call.at(0);
    if (!entry) throw web::TemplateFailure(web::TemplateFault::type, "Entry() needs an entry");
    const web::TemplateValue* const alone = call.find("alone");
    return render_string("modules/entry.html",
                         {{"entry", *entry}, {"alone", alone ? *alone : web::TemplateValue()}});
  }
  std::vector<std::string> css_files() override { return {"/files/entry.css"}; }
};

std::unique_ptr<blog::Database> open_database(const Options& options) {
  if (options.postgres.empty()) return std::make_unique<blog::SqliteDatabase>(options.sqlite);
#ifdef BLOG_POSTGRES
  return std::make_unique<blog::PostgresDatabase>(options.postgres);
#else
  throw std::runtime_error("built without libpq: --postgres is not available");
#endif
}

// Templates of the folder, which are read again when they change. Without a folder, those in the program.
std::shared_ptr<web::TemplateLoader> loader_of(const std::string& folder) {
  if (!folder.empty())
    return std::make_shared<web::TemplateLoader>(folder, web::TemplateOptions(),
                                                 web::TemplateChanges::noticed);
  return std::make_shared<web::TemplateLoader>(std::make_unique<web::EmbeddedTemplates>(kBlogTemplates));
}

// Entries may show pictures of other sites.
web::SecurityHeadersOptions security() {
  web::SecurityHeadersOptions options;
  options.content_security_policy += "; img-src 'self' https:";
  return options;
}

void serve(const Options& options) {
  IOLoop loop;
  const std::unique_ptr<blog::Database> database = open_database(options);
  blog::Blog blog(*database);
  loop.run_sync(blog.create_tables());

  web::Settings settings;
  settings.cookie_secret = loop.run_sync(blog.cookie_secret());
  settings.xsrf_cookies = web::XsrfOptions();
  settings.login_url = "/auth/login";
  settings.template_loader = loader_of(options.templates);
  settings.ui_modules["Entry"] = web::ui_module<EntryModule>();
  settings.template_names["blog_title"] = [title = options.title](web::RequestHandler&) { return title; };
  settings.middleware = {web::SecurityHeaders(security())};
  if (options.debug) settings.debug = true;
  web::Application app(blog::routes(blog), settings);
  http::HTTPServer::Options limits;
  limits.max_body_size = 1024 * 1024;
  // A statement for a browser that leaves is given up.
  limits.half_closed = http::HTTPServer::Options::HalfClosed::is_gone;
  http::HTTPServer& server = app.listen(options.port, options.listen, limits);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("blog", "Serves a blog with one author.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("sqlite", options.sqlite, "file of the entries; `:memory:` keeps none");
  line.bind("postgres", options.postgres,
            "entries in PostgreSQL instead: a connection string, such as 'host=127.0.0.1 dbname=blog'");
  line.bind("title", options.title, "name of the blog");
  line.bind("templates", options.templates, "folder of the pages; those of the program without it");
  line.bind("debug", options.debug, "show errors of handlers to the reader");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "blog: {}\n", error.what());
    return 1;
  }
  return 0;
}
