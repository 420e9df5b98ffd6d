// demos/i18n/main.cc -- one page in five languages, one of them from right to left.
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
#include <string>
#include <vector>

using namespace squall;
using namespace std::chrono_literals;
using web::TemplateValue;

namespace {

constexpr const char* kCookie = "language";

// Seconds since 1970, for templates.
std::int64_t seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

TemplateValue boat(const char* place, std::chrono::system_clock::time_point time, int seats) {
  return TemplateValue::map({{"place", place}, {"time", seconds(time)}, {"seats", seats}});
}
TemplateValue notice(const char* text, std::chrono::system_clock::time_point time) {
  return TemplateValue::map({{"text", text}, {"time", seconds(time)}});
}

// The texts are messages that the template translates; translations/ has a file for each language.
class PageHandler : public web::RequestHandler {
 public:
  // The choice of the menu. Without one the languages of the browser count.
  std::optional<web::Locale> get_user_locale() override {
    return settings().locales->find(get_cookie(kCookie, ""));
  }
  void get() {
    const auto now = std::chrono::system_clock::now();
    set_header("Cache-Control", "private, no-cache");
    render("index.html",
           {{"languages", languages()},
            {"is_chosen", get_user_locale().has_value()},
            {"places", std::vector<std::string>{"Seal Island", "the Old Lighthouse", "North Bay"}},
            {"boats", TemplateValue::list({boat("Seal Island", now + 25min, 1),
                                           boat("the Old Lighthouse", now + 3h, 3),
                                           boat("North Bay", now + 26h, 42)})},
            {"notices",
             TemplateValue::list({notice("The north pier is open again.", now - 21min),
                                  notice("Dogs travel free on weekdays.", now - 24h),
                                  notice("The café on board has new hours.", now - std::chrono::days(3)),
                                  notice("The winter timetable has begun.", now - std::chrono::days(200))})},
            {"passengers", 184'207},
            {"counts", std::vector<int>{0, 1, 2, 3, 5, 11, 21, 100}},
            {"now", seconds(now)}});
  }

 private:
  std::vector<TemplateValue> languages() const {
    std::vector<TemplateValue> all;
    for (const web::Locale& each : settings().locales->supported_locales())
      all.push_back(
          TemplateValue::map({{"code", each.code()}, {"lang", each.html_lang()}, {"name", each.name()}}));
    return all;
  }
};

// The menu: stores the language in a cookie, or forgets it.
class LanguageHandler : public web::RequestHandler {
 public:
  void post() {
    const std::string code = get_argument("code", "");
    if (code.empty()) {
      clear_cookie(kCookie);
    } else if (settings().locales->find(code)) {
      set_cookie(kCookie, code, {.expires_days = std::chrono::days(365)});
    } else {
      throw web::HTTPError(400, "there is no such language");
    }
    redirect("/", 303);
  }
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string pages = I18N_PAGES;
  std::string templates = I18N_TEMPLATES;
  std::string translations = I18N_TRANSLATIONS;
};

void serve(const Options& options) {
  IOLoop loop;
  const auto locales = std::make_shared<web::Locales>("en");
  locales->load_gettext_translations(options.translations, "i18n");
  web::Settings settings;
  settings.locales = locales;
  settings.static_path = options.pages;
  settings.template_path = options.templates;
  settings.xsrf_cookies = web::XsrfOptions();
  settings.middleware = {web::SecurityHeaders()};
  web::Application app({web::url<PageHandler>("/"), web::url<LanguageHandler>("/language")}, settings);
  http::HTTPServer& server = app.listen(options.port, options.listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("i18n", "Serves one page in five languages.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("pages", options.pages, "folder of the page's style and icon");
  line.bind("templates", options.templates, "folder of index.html");
  line.bind("translations", options.translations, "folder of the catalogs of gettext");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "i18n: {}\n", error.what());
    return 1;
  }
  return 0;
}
