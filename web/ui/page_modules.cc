#include <squall/web/ui/page_modules.h>

#include <squall/web/template/template_functions.h>
#include <squall/web/ui/template_module.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace squall::web::detail {
namespace {

const UIModuleFactory& template_module_factory() {
  static const UIModuleFactory kFactory = ui_module<TemplateModule>();
  return kFactory;
}

void append(std::vector<std::string>& to, std::vector<std::string> items) {
  std::move(items.begin(), items.end(), std::back_inserter(to));
}
void append(std::vector<std::string>& to, std::optional<std::string> item) {
  if (item && !item->empty()) to.push_back(std::move(*item));
}

}  // namespace

PageModules& PageModules::of(RequestHandler& handler) {
  std::unique_ptr<TemplateState>& state = handler.template_state();
  if (!state) state = std::make_unique<PageModules>(handler);
  return static_cast<PageModules&>(*state);
}

const PageModules* PageModules::find(RequestHandler& handler) {
  return static_cast<const PageModules*>(handler.template_state().get());
}

PageModules::PageModules(RequestHandler& handler) : handler_(handler) {
  std::vector<TemplateValue::Entry> entries;
  entries.emplace_back("linkify", *builtin_named("linkify"));
  entries.emplace_back("xsrf_form_html", TemplateValue::function([&handler](const TemplateCall& call) {
                         check_arguments(call, 0);
                         return TemplateValue(handler.xsrf_form_html());
                       }));
  entries.emplace_back("Template", function("Template", template_module_factory()));
  for (const auto& [name, make] : handler.settings().ui_modules.functions())
    entries.emplace_back(name, function(name, make));
  functions_ = TemplateValue::map(std::move(entries));
}

TemplateValue PageModules::function(const std::string& name, const UIModuleFactory& make) {
  return TemplateValue::function([this, name, &make](const TemplateCall& call) {
    return TemplateValue(module_named(name, make).render(call));
  });
}

UIModule& PageModules::module_named(const std::string& name, const UIModuleFactory& make) {
  const auto known =
      std::find_if(called_.begin(), called_.end(), [&](const auto& entry) { return entry.first == name; });
  if (known != called_.end()) return *known->second;
  std::unique_ptr<UIModule> made = make ? make() : nullptr;
  if (!made) throw std::logic_error("Settings::ui_modules has no factory for " + name);
  made->attach(handler_);
  return *called_.emplace_back(name, std::move(made)).second;
}

ModuleResources PageModules::resources() const {
  ModuleResources all;
  // By index: a function of a module may render a template that calls another module for the first time.
  for (std::size_t i = 0; i < called_.size(); ++i) {
    UIModule& module = *called_[i].second;
    append(all.scripts, module.embedded_javascript());
    append(all.javascript_files, module.javascript_files());
    append(all.styles, module.embedded_css());
    append(all.css_files, module.css_files());
    all.html_head += module.html_head().value_or("");
    all.html_body += module.html_body().value_or("");
  }
  return all;
}

}  // namespace squall::web::detail
