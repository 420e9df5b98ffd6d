#include <squall/web/ui/resource_tags.h>

#include <squall/web/escape/xhtml.h>

#include <fmt/format.h>

namespace squall::web {

std::string linked_js(const std::vector<std::string>& urls) {
  std::string html;
  for (const std::string& url : urls)
    html += fmt::format(R"(<script src="{}" type="text/javascript"></script>)", xhtml_escape(url));
  return html;
}

std::string embedded_js(const std::vector<std::string>& scripts) {
  return fmt::format("<script type=\"text/javascript\">\n//<![CDATA[\n{}\n//]]>\n</script>",
                     fmt::join(scripts, "\n"));
}

std::string linked_css(const std::vector<std::string>& urls) {
  std::string html;
  for (const std::string& url : urls)
    html += fmt::format(R"(<link href="{}" type="text/css" rel="stylesheet"/>)", xhtml_escape(url));
  return html;
}

std::string embedded_css(const std::vector<std::string>& styles) {
  return fmt::format("<style type=\"text/css\">\n{}\n</style>", fmt::join(styles, "\n"));
}

}  // namespace squall::web
