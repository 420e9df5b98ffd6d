#pragma once

#include <squall/web/handler/page_functions.h>
#include <squall/web/ui/module_resources.h>
#include <squall/web/ui/ui_module.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web::detail {

// The UI modules of one request: one of each name (WEB-231).
//
// Lifetime:  a part of the handler.
class PageModules final : public TemplateState {
 public:
  // The modules of the handler, made by the first call. Null without a call of of().
  static PageModules& of(RequestHandler& handler);
  static const PageModules* find(RequestHandler& handler);

  explicit PageModules(RequestHandler& handler);

  // The name `modules` of templates: a map of functions.
  const TemplateValue& functions() const noexcept { return functions_; }
  // Of all modules that were called, in the order of their first calls.
  ModuleResources resources() const;

 private:
  TemplateValue function(const std::string& name, const UIModuleFactory& make);
  UIModule& module_named(const std::string& name, const UIModuleFactory& make);

  RequestHandler& handler_;
  TemplateValue functions_;
  std::vector<std::pair<std::string, std::unique_ptr<UIModule>>> called_;
};

}  // namespace squall::web::detail
