#include <squall/web/ui/resource_tags.h>

#include "support/catch.h"

namespace squall::web::resource_tags_test {
namespace {

TEST_CASE("links to scripts and styles have the form of WEB-235, one behind the other, with escaped URLs",
          "[resource_tags]") {
  CHECK(linked_js({"/a.js", "/b.js?x=1&y=\"2\""}) ==
        "<script src=\"/a.js\" type=\"text/javascript\"></script>"
        "<script src=\"/b.js?x=1&amp;y=&quot;2&quot;\" type=\"text/javascript\"></script>");
  CHECK(linked_css({"/a.css", "/<b>.css"}) ==
        "<link href=\"/a.css\" type=\"text/css\" rel=\"stylesheet\"/>"
        "<link href=\"/&lt;b&gt;.css\" type=\"text/css\" rel=\"stylesheet\"/>");
}

TEST_CASE("embedded scripts and styles are one element each, with a line end between the parts (WEB-235)",
          "[resource_tags]") {
  CHECK(embedded_js({"a();", "b();"}) ==
        "<script type=\"text/javascript\">\n//<![CDATA[\na();\nb();\n//]]>\n</script>");
  CHECK(embedded_css({"p{}", "b{}"}) == "<style type=\"text/css\">\np{}\nb{}\n</style>");
}

}  // namespace
}  // namespace squall::web::resource_tags_test
