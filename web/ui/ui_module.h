#pragma once

#include <squall/web/handler/request_handler.h>

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

// A part of pages with its scripts and styles (WEB-230 to WEB-235): `{% module Entry(entry) %}` calls
// render(), and RequestHandler::render() adds the resources to the page, once for each module.
//
//     class EntryModule : public web::UIModule {
//      public:
//       std::string render(const TemplateCall& call) override {
//         return render_string("entry.html", {{"entry", *call.at(0)}});
//       }
//       std::vector<std::string> css_files() override { return {"entry.css"}; }
//     };
//     settings.ui_modules["Entry"] = web::ui_module<EntryModule>();
//
// The names of files are paths for RequestHandler::static_url(), or URLs as they are if they begin with `/`,
// `http:` or `https:` (WEB-234). Each file is named once.
//
// Thread:    the loop's thread.
// Lifetime:  made by the framework at the first call of its name in a request; destroyed with the handler.
// Errors:    an exception of render() is an error of the template; an HTTPError is the answer to the request.
class UIModule {
 public:
  UIModule() = default;
  virtual ~UIModule() = default;
  UIModule(const UIModule&) = delete;
  UIModule& operator=(const UIModule&) = delete;

  // The output for one call, with its arguments: HTML, which is not escaped.
  virtual std::string render(const TemplateCall& call) = 0;

  // The resources, asked for when the page is complete; none by default. Scripts and styles are put into one
  // element each.
  virtual std::optional<std::string> embedded_javascript() { return {}; }
  virtual std::vector<std::string> javascript_files() { return {}; }
  virtual std::optional<std::string> embedded_css() { return {}; }
  virtual std::vector<std::string> css_files() { return {}; }
  // HTML for the ends of the head and the body.
  virtual std::optional<std::string> html_head() { return {}; }
  virtual std::optional<std::string> html_body() { return {}; }

  // Called by the framework.
  void attach(RequestHandler& handler) noexcept { handler_ = &handler; }

 protected:
  RequestHandler& handler() const noexcept { return *handler_; }
  const http::ServerRequest& request() const noexcept { return handler_->request(); }
  std::string render_string(std::string_view name, const TemplateArguments& arguments = {}) const {
    return handler_->render_string(name, arguments);
  }

 private:
  RequestHandler* handler_ = nullptr;
};

// For Settings::ui_modules: makes modules of the class M, by its constructor with copies of `arguments`.
template <std::derived_from<UIModule> M, class... Arguments>
requires std::constructible_from<M, const Arguments&...>
UIModuleFactory ui_module(Arguments... arguments) {
  return [... arguments = std::move(arguments)] { return std::make_unique<M>(arguments...); };
}

}  // namespace squall::web
