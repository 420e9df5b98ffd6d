#pragma once

#include <squall/web/handler/request_handler.h>

#include <forward_list>
#include <string_view>
#include <utility>

namespace squall::web::detail {

// The names that templates of a handler have besides their arguments (WEB-52), for one run of a template. A
// value is made when a template uses its name.
//
// Lifetime:  borrows the handler.
class HandlerNames {
 public:
  // Calls get_template_namespace().
  explicit HandlerNames(RequestHandler& handler);

  // The value lives as long as this object; null without one. A TemplateLookup.
  const TemplateValue* find(std::string_view name);

 private:
  const TemplateValue* keep(TemplateValue value) { return &made_.emplace_front(std::move(value)); }

  RequestHandler& handler_;
  TemplateArguments own_;
  std::forward_list<TemplateValue> made_;
};

}  // namespace squall::web::detail
