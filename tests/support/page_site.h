#pragma once

#include <squall/web.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/web_fixture.h"

namespace squall::testing {

// Answers with the template that the path names.
class PageHandler : public web::RequestHandler {
 public:
  void get(std::string name) { render(name, {{"who", "<you>"}}); }
};

// Settings with templates in memory.
inline web::Settings with_templates(std::map<std::string, std::string> files) {
  web::Settings settings;
  settings.template_loader =
      std::make_shared<web::TemplateLoader>(std::make_unique<web::MapTemplates>(std::move(files)));
  return settings;
}

// An application whose paths are the names of templates.
struct PageSite : WebFixture {
  explicit PageSite(web::Settings settings)
      : WebFixture({web::url<PageHandler>("/(.+)")}, std::move(settings)) {}
  // Of one template, `page.html`.
  explicit PageSite(std::string page, web::Settings settings = {})
      : PageSite(with_page(std::move(page), std::move(settings))) {}

  std::string page(const std::string& headers = "") { return brief("GET", "/page.html", headers); }
  // The status of a page whose error is in the log.
  std::string failed(const std::string& target, const std::string& error) {
    const std::string status = brief("GET", target).substr(0, 3);
    loop.log.expect(error);
    loop.log.expect(status + " GET " + target);
    return status;
  }

 private:
  static web::Settings with_page(std::string page, web::Settings settings) {
    settings.template_loader = with_templates({{"page.html", std::move(page)}}).template_loader;
    return settings;
  }
};

}  // namespace squall::testing
