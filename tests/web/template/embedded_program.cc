// Renders a template that the build has put into the program: `embedded_program NAME`.

#include <squall/web/template/template_loader.h>

#include <cstdio>
#include <memory>

#include "pages.h"

using namespace squall;

int main(int argc, char** argv) {
  web::TemplateLoader loader(std::make_unique<web::EmbeddedTemplates>(kPages));
  const auto page = loader.load("index.html");
  std::puts(page->generate({{"name", argc > 1 ? argv[1] : ""}}).c_str());
}
