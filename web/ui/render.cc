// The functions of <squall/web/handler/page_functions.h>.

#include <squall/http/server/exchange.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/template/template.h>
#include <squall/web/template/template_loader.h>
#include <squall/web/ui/handler_names.h>
#include <squall/web/ui/page_modules.h>
#include <squall/web/ui/resource_placement.h>
#include <squall/web/ui/resource_tags.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

namespace squall::web::detail {
namespace {

// Templates that render templates by UI modules and UI methods: each level needs a part of the stack.
constexpr int kMostNested = 50;

// How many templates are rendered on this thread's stack.
class Nesting {
 public:
  Nesting() {
    if (depth_ >= kMostNested)
      throw std::runtime_error("templates render one another by UI modules or methods too deeply");
    ++depth_;
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  static thread_local int depth_;
};
thread_local int Nesting::depth_ = 0;

// The loaders of an application, by path.
struct Loaders final : TemplateState {
  std::map<std::string, std::shared_ptr<TemplateLoader>, std::less<>> by_path;
};

std::shared_ptr<TemplateLoader> make_loader(RequestHandler& handler, const TemplateFolder& folder) {
  const TemplateHooks* const hooks = handler.type().templates;
  if (hooks && hooks->create_template_loader) return hooks->create_template_loader(handler, folder);
  const Settings& settings = handler.settings();
  if (settings.template_loader) return settings.template_loader;
  if (!folder.make_loader())
    throw std::logic_error("render() needs Settings::template_path or Settings::template_loader");
  return folder.make_loader()(settings, folder.path());
}

std::shared_ptr<const Template> find_template(RequestHandler& handler, std::string_view name) {
  const TemplateHooks* const hooks = handler.type().templates;
  const TemplateFolder own =
      hooks && hooks->get_template_path ? hooks->get_template_path(handler) : TemplateFolder();
  const TemplateFolder& folder = own.empty() ? handler.settings().template_path : own;
  std::unique_ptr<TemplateState>& state = handler.context().template_loaders;
  if (!state) state = std::make_unique<Loaders>();
  auto& loaders = static_cast<Loaders&>(*state).by_path;
  auto loader = loaders.find(folder.path());
  if (loader == loaders.end()) {
    std::shared_ptr<TemplateLoader> made = make_loader(handler, folder);
    if (!made) throw std::logic_error("create_template_loader() has returned no loader");
    loader = loaders.emplace(folder.path(), std::move(made)).first;
  }
  return loader->second->load(name);
}

// An answer that a function of the template has thrown is thrown again, without the template around it.
[[noreturn]] void throw_again(const TemplateRunError& error) {
  try {
    std::rethrow_if_nested(error);
  } catch (const HTTPError&) {
    throw;
  } catch (...) {
  }
  throw;
}

void append(std::string& out, RequestHandler& handler, std::string_view name,
            const TemplateArguments& arguments) {
  const Nesting nesting;
  const std::shared_ptr<const Template> page = find_template(handler, name);
  HandlerNames names(handler);
  try {
    page->append_to(out, arguments, [&names](std::string_view wanted) { return names.find(wanted); });
  } catch (const TemplateRunError& error) {
    throw_again(error);
  }
}

bool is_url(std::string_view file) {
  return file.starts_with('/') || file.starts_with("http:") || file.starts_with("https:");
}

// WEB-234. Pages have few files: the search is linear.
std::vector<std::string> urls_of(const RequestHandler& handler, const std::vector<std::string>& files) {
  std::vector<std::string> urls;
  for (const std::string& file : files) {
    std::string url = is_url(file) ? file : handler.static_url(file);
    if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(std::move(url));
  }
  return urls;
}

void add_line(std::string& to, const std::string& html) {
  if (!html.empty()) to.append(html).append("\n");
}

PageAdditions additions_of(RequestHandler& handler, const ModuleResources& resources) {
  PageAdditions all;
  static constexpr TemplateHooks kNoHooks;
  const TemplateHooks& hooks = handler.type().templates ? *handler.type().templates : kNoHooks;
  const auto add = [&handler](std::string& to, const std::vector<std::string>& items,
                              TemplateHooks::Elements own, auto by_default) {
    if (!items.empty()) add_line(to, own ? own(handler, items) : by_default(items));
  };
  add(all.scripts, urls_of(handler, resources.javascript_files), hooks.render_linked_js, linked_js);
  add(all.scripts, resources.scripts, hooks.render_embed_js, embedded_js);
  add(all.head, urls_of(handler, resources.css_files), hooks.render_linked_css, linked_css);
  add(all.head, resources.styles, hooks.render_embed_css, embedded_css);
  add_line(all.head, resources.html_head);
  add_line(all.body, resources.html_body);
  return all;
}

ModuleResources resources_of(RequestHandler& handler) {
  const PageModules* const modules = PageModules::find(handler);
  return modules ? modules->resources() : ModuleResources();
}

void check_not_finished(const RequestHandler& handler) {
  if (handler.finished()) throw std::logic_error("Cannot render() after finish()");
}

}  // namespace

std::string render_string(RequestHandler& handler, std::string_view name,
                          const TemplateArguments& arguments) {
  std::string text;
  append(text, handler, name, arguments);
  return text;
}

// Into the memory of the response's body. Meanwhile the body is empty: what functions of the template
// write() stands in front of the page.
void render_page(RequestHandler& handler, std::string_view name, const TemplateArguments& arguments) {
  check_not_finished(handler);
  std::string& body = handler.exchange().buffer();
  std::string page = std::exchange(body, {});
  const std::size_t start = page.size();
  std::exception_ptr error;
  try {
    append(page, handler, name, arguments);
    const ModuleResources resources = resources_of(handler);
    if (!resources.empty()) place_resources(page, start, additions_of(handler, resources));
    check_not_finished(handler);
  } catch (...) {
    page.resize(start);
    error = std::current_exception();
  }
  if (handler.finished()) std::rethrow_exception(error);
  page.insert(start, body);
  body = std::move(page);
  if (error) std::rethrow_exception(error);
}

Task<> render_in_pieces(RequestHandler& handler, std::string name, TemplateArguments arguments,
                        std::size_t piece) {
  check_not_finished(handler);
  const std::shared_ptr<const Template> page = find_template(handler, name);
  HandlerNames names(handler);
  TemplateLookup lookup = [&names](std::string_view wanted) { return names.find(wanted); };
  TemplateRun run(*page, arguments, std::move(lookup));
  bool has_more = true;
  while (has_more) {
    try {
      has_more = run.resume(handler.exchange().buffer(), piece);
    } catch (const TemplateRunError& error) {
      throw_again(error);
    }
    if (!resources_of(handler).empty())
      throw std::logic_error("a UI module with resources cannot be in a page that is sent in pieces");
    if (has_more) co_await handler.flush();
  }
  handler.finish();
}

std::shared_ptr<TemplateLoader> make_template_loader(const Settings& settings, const std::string& folder) {
  TemplateOptions options;
  options.autoescape = settings.autoescape;
  options.whitespace = settings.template_whitespace;
  return std::make_shared<TemplateLoader>(
      folder, std::move(options),
      keeps_templates(settings) ? TemplateChanges::ignored : TemplateChanges::noticed);
}

}  // namespace squall::web::detail
