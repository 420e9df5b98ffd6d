#include <squall/web/ui/template_module.h>

#include <string>

#include "support/page_site.h"

namespace squall::web::template_module_test {
namespace {

using testing::PageSite;
using testing::with_templates;

TEST_CASE("the module Template renders a file with its own arguments only (WEB-232)", "[template_module]") {
  PageSite site(with_templates({
      {"page.html", "{% set x = 1 %}{% module Template('part.html', a='<b>') %}"},
      {"part.html",
       "{{ a }} {% try %}{{ x }}{% except NameError %}no x{% end %} "
       "{% try %}{{ who }}{% except NameError %}no who{% end %} {{ request.path }}"},
  }));
  CHECK(site.page() == "200 &lt;b&gt; no x no who /page.html");
}

TEST_CASE("set_resources() names the resources of a file once (WEB-232)", "[template_module]") {
  PageSite site(with_templates({
      {"page.html",
       "<head></head><body>{% for n in [1, 2] %}{% module Template('a.html', n=n) %}{% end %}"
       "{% module Template('b.html') %}</body>"},
      {"a.html",
       "{{ set_resources(embedded_javascript='a()', javascript_files='/a.js', embedded_css='a{}', "
       "css_files=['/a.css', '/c.css'], html_head='<meta a>', html_body='<p>a') }}{{ n }}"},
      {"b.html",
       "{{ set_resources(embedded_javascript='b()', javascript_files=['/b.js', '/a.js'], "
       "embedded_css='b{}', css_files='/a.css', html_head='<meta b>', html_body='<p>b') }}b"},
  }));
  CHECK(site.page() ==
        "200 <head>"
        "<link href=\"/a.css\" type=\"text/css\" rel=\"stylesheet\"/>"
        "<link href=\"/c.css\" type=\"text/css\" rel=\"stylesheet\"/>\n"
        "<style type=\"text/css\">\na{}\nb{}\n</style>\n"
        "<meta a><meta b>\n"
        "</head><body>12b"
        "<script src=\"/a.js\" type=\"text/javascript\"></script>"
        "<script src=\"/b.js\" type=\"text/javascript\"></script>\n"
        "<script type=\"text/javascript\">\n//<![CDATA[\na()\nb()\n//]]>\n</script>\n"
        "<p>a<p>b\n"
        "</body>");
}

TEST_CASE("different resources for the same file are a ValueError (WEB-232)", "[template_module]") {
  PageSite site(with_templates({
      {"page.html",
       "<head></head>{% module Template('a.html', c='/1.css') %}"
       "{% module Template('a.html', c='/2.css') %}"},
      {"a.html", "{{ set_resources(css_files=c) }}"},
      {"unknown.html", "{% module Template('b.html') %}"},
      {"b.html", "{{ set_resources(css='/1.css') }}"},
  }));
  CHECK(site.failed("/page.html",
                    "ValueError: set_resources() called with different resources for the same "
                    "template, 'a.html'") == "500");
  CHECK(site.failed("/unknown.html", "the function has no argument 'css'") == "500");
}

TEST_CASE("a template that renders itself ends with an error", "[template_module]") {
  PageSite site("{% module Template('page.html') %}");
  CHECK(site.failed("/page.html", "too deeply") == "500");
  CHECK(site.failed("/page.html", "too deeply") == "500");
}

}  // namespace
}  // namespace squall::web::template_module_test
