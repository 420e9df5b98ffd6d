#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/web/template/template_value.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web {

class RequestHandler;
class TemplateLoader;
class UIModule;
struct Settings;

// A function that templates call by name (WEB-236):
//
//     settings.ui_methods["shout"] = [](RequestHandler& handler, const TemplateCall& call) { ... };
using UIMethod = std::function<TemplateValue(RequestHandler& handler, const TemplateCall& call)>;
// Makes the value of a name of templates, once for each run of a template that uses the name.
using TemplateName = std::function<TemplateValue(RequestHandler& handler)>;
// Makes a UI module: see ui_module<M>().
using UIModuleFactory = std::function<std::unique_ptr<UIModule>()>;

namespace detail {

// The state that the room `ui` keeps for an application, and for a handler.
struct TemplateState {
  virtual ~TemplateState() = default;
};

// The functions of the room `ui`, which is above this one: see RequestHandler.
std::string render_string(RequestHandler& handler, std::string_view name, const TemplateArguments& arguments);
// Without finish().
void render_page(RequestHandler& handler, std::string_view name, const TemplateArguments& arguments);
Task<> render_in_pieces(RequestHandler& handler, std::string name, TemplateArguments arguments,
                        std::size_t piece);
std::shared_ptr<TemplateLoader> make_template_loader(const Settings& settings, const std::string& folder);

}  // namespace detail
}  // namespace squall::web
