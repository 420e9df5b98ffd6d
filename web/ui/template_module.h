#pragma once

#include <squall/web/ui/module_resources.h>
#include <squall/web/ui/ui_module.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace squall::web::detail {

// `{% module Template("entry.html", entry=entry) %}` renders a template with these arguments, and without the
// variables of its caller (WEB-232). In it, `{{ set_resources(css_files="entry.css") }}` names the resources
// of a module without a class of its own; they are the same for each call of that template.
class TemplateModule final : public UIModule {
 public:
  std::string render(const TemplateCall& call) override;
  std::optional<std::string> embedded_javascript() override;
  std::vector<std::string> javascript_files() override;
  std::optional<std::string> embedded_css() override;
  std::vector<std::string> css_files() override;
  std::optional<std::string> html_head() override;
  std::optional<std::string> html_body() override;

 private:
  void set_resources(const std::string& file, const TemplateCall& call);

  std::vector<std::pair<std::string, ModuleResources>> resources_;  // by file, in order of the first call
};

}  // namespace squall::web::detail
