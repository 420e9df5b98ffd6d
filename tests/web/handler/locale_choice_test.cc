#include <squall/web/handler/request_handler.h>

#include <squall/web/locale/locales.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::locale_choice_test {
namespace {

using testing::TemporaryFolder;
using testing::WebFixture;

std::shared_ptr<Locales> some_locales() {
  const TemporaryFolder folder;
  for (const char* code : {"de", "es_ES", "fr", "pt"})
    folder.file(fmt::format("{}.csv", code), fmt::format("hello,hello in {}\n", code));
  auto locales = std::make_shared<Locales>();
  locales->load_translations(folder / "");
  return locales;
}
Settings with_locales() { return {.locales = some_locales()}; }

class BrowserHandler : public RequestHandler {
 public:
  void get() { write(locale().code()); }
};

std::string chosen(WebFixture& web, std::string_view languages) {
  return web.brief("GET", "/", fmt::format("Accept-Language: {}\r\n", languages));
}

TEST_CASE("the languages of the browser choose the locale, by their weights (WEB-131)", "[locale_choice]") {
  WebFixture web({url<BrowserHandler>("/")}, with_locales());
  CHECK(chosen(web, "de") == "200 de");
  CHECK(chosen(web, "de-AT,fr") == "200 de");
  CHECK(chosen(web, "fr;q=0.5,de;q=0.9") == "200 de");
  CHECK(chosen(web, "fr; q=0.5, de; q=0.4") == "200 fr");
  // Without a weight it is 1; equal weights keep their order.
  CHECK(chosen(web, "fr;q=0.9,es-es,pt-BR") == "200 es_ES");
  CHECK(chosen(web, "xx,yy-ZZ,pt-BR;q=0.1") == "200 pt");
  CHECK(chosen(web, "zh-Hans-CN, PT") == "200 pt");
}

TEST_CASE("languages with a bad weight, or the weight 0, are dropped (WEB-131)", "[locale_choice]") {
  WebFixture web({url<BrowserHandler>("/")}, with_locales());
  CHECK(chosen(web, "de;q=x,fr;q=0.1") == "200 fr");
  CHECK(chosen(web, "de;q=-1,fr;q=0.1") == "200 fr");
  CHECK(chosen(web, "de;q=0,fr;q=0.1") == "200 fr");
  CHECK(chosen(web, "de;q=0") == "200 en_US");
}

TEST_CASE("without a language of the browser the locale is en_US, or the default (WEB-130, WEB-131)",
          "[locale_choice]") {
  const auto locales = some_locales();
  WebFixture web({url<BrowserHandler>("/")}, {.locales = locales});
  CHECK(web.brief("GET", "/") == "200 en_US");
  CHECK(chosen(web, "") == "200 en_US");
  CHECK(chosen(web, "xx") == "200 en_US");
  locales->set_default_locale("de");
  CHECK(web.brief("GET", "/") == "200 de");
  CHECK(chosen(web, "xx") == "200 de");
}

TEST_CASE("a header of many languages costs little, and those behind the first hundred are not read",
          "[locale_choice]") {
  WebFixture web({url<BrowserHandler>("/")}, with_locales());
  std::string many;
  for (int i = 0; i < 100; ++i) many += "xx,";
  CHECK(chosen(web, many + "de") == "200 en_US");
  CHECK(chosen(web, many.substr(3) + "de") == "200 de");
}

TEST_CASE("a response that depends on the browser's language says so to caches", "[locale_choice]") {
  WebFixture web({url<BrowserHandler>("/")}, with_locales());
  CHECK(web.fetch("GET", "/").find("\r\nVary: Accept-Language\r\n") != std::string::npos);
}

// The cookie `lang`, or an assigned locale, comes before the browser's languages.
class UserHandler : public RequestHandler {
 public:
  std::optional<Locale> get_user_locale() override {
    ++asked;
    return settings().locales->find(get_cookie("lang", ""));
  }
  void get(std::string what) {
    if (what == "assigned") set_locale(*settings().locales->find("fr"));
    write(fmt::format("{} {} {}", locale().code(), locale().translate("hello"), asked));
    if (what == "changed") {
      set_locale(settings().locales->get("pt"));
      write(fmt::format(", {} {}", locale().code(), asked));
    }
  }
  int asked = 0;
};

TEST_CASE("the user's locale comes first, and is asked once for each request (WEB-130)", "[locale_choice]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_locales());
  CHECK(web.brief("GET", "/", "Cookie: lang=de\r\nAccept-Language: fr\r\n") == "200 de hello in de 1");
  CHECK(web.brief("GET", "/", "Cookie: lang=xx\r\nAccept-Language: fr\r\n") == "200 fr hello in fr 1");
  CHECK(web.fetch("GET", "/", "Cookie: lang=de\r\n").find("Vary") == std::string::npos);
}

TEST_CASE("the locale can be assigned (WEB-130)", "[locale_choice]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_locales());
  CHECK(web.brief("GET", "/assigned", "Cookie: lang=de\r\n") == "200 fr hello in fr 0");
  CHECK(web.brief("GET", "/changed", "Cookie: lang=de\r\n") == "200 de hello in de 1, pt 1");
}

class FixedHandler : public RequestHandler {
 public:
  Locale get_browser_locale(std::string_view otherwise) override {
    CHECK(otherwise == "en_US");
    return settings().locales->get("fr");
  }
  void get() { write(locale().code()); }
};

TEST_CASE("the choice by the browser can be replaced", "[locale_choice]") {
  WebFixture web({url<FixedHandler>("/")}, with_locales());
  CHECK(chosen(web, "de") == "200 fr");
}

class MissingHandler : public RequestHandler {
 public:
  void get() {
    CHECK_THROWS_WITH(locale(), "locale() needs Settings::locales");
    write("none");
  }
};

TEST_CASE("without locales there is no locale", "[locale_choice]") {
  WebFixture web({url<MissingHandler>("/")});
  CHECK(web.brief("GET", "/") == "200 none");
}

}  // namespace
}  // namespace squall::web::locale_choice_test
