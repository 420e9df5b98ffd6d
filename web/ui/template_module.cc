#include <squall/web/ui/template_module.h>

#include <squall/web/template/template_error.h>
#include <squall/web/template/template_functions.h>
#include <squall/web/ui/text_arguments.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::web::detail {
namespace {

std::vector<std::string> texts_named(const TemplateCall& call, std::string_view name) {
  std::vector<std::string> texts;
  const TemplateValue* const value = call.find(name);
  if (!value) return texts;
  if (const TemplateValue::List* const list = value->as_list()) {
    for (const TemplateValue& item : *list) texts.push_back(text_of(item, call));
  } else if (value->is_true()) {
    texts.push_back(text_of(*value, call));
  }
  return texts;
}

std::string text_named(const TemplateCall& call, std::string_view name) {
  const TemplateValue* const value = call.find(name);
  return value && value->is_true() ? text_of(*value, call) : std::string();
}

// All items of one kind, of all files.
std::vector<std::string> joined(const std::vector<std::pair<std::string, ModuleResources>>& resources,
                                std::vector<std::string> ModuleResources::* kind) {
  std::vector<std::string> all;
  for (const auto& [file, of_file] : resources)
    all.insert(all.end(), (of_file.*kind).begin(), (of_file.*kind).end());
  return all;
}

std::optional<std::string> lines(const std::vector<std::string>& texts) {
  if (texts.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(texts, "\n"));
}

}  // namespace

std::string TemplateModule::render(const TemplateCall& call) {
  if (call.positional.size() != 1)
    throw TemplateFailure(TemplateFault::type, "Template() takes the name of a file, and arguments by name");
  const std::string file = text_at(call, 0);
  TemplateArguments arguments;
  for (const auto& [name, value] : call.named) arguments.set(name, value);
  arguments.set("set_resources", TemplateValue::function([this, file](const TemplateCall& resources) {
                  set_resources(file, resources);
                  return TemplateValue("");
                }));
  return render_string(file, arguments);
}

void TemplateModule::set_resources(const std::string& file, const TemplateCall& call) {
  check_arguments(
      call, 0,
      {"embedded_javascript", "javascript_files", "embedded_css", "css_files", "html_head", "html_body"});
  ModuleResources given{.javascript_files = texts_named(call, "javascript_files"),
                        .scripts = texts_named(call, "embedded_javascript"),
                        .css_files = texts_named(call, "css_files"),
                        .styles = texts_named(call, "embedded_css"),
                        .html_head = text_named(call, "html_head"),
                        .html_body = text_named(call, "html_body")};
  const auto known = std::find_if(resources_.begin(), resources_.end(),
                                  [&](const auto& entry) { return entry.first == file; });
  if (known == resources_.end()) {
    resources_.emplace_back(file, std::move(given));
  } else if (known->second != given) {
    throw TemplateFailure(
        TemplateFault::value,
        fmt::format("set_resources() called with different resources for the same template, '{}'", file));
  }
}

std::optional<std::string> TemplateModule::embedded_javascript() {
  return lines(joined(resources_, &ModuleResources::scripts));
}
std::vector<std::string> TemplateModule::javascript_files() {
  return joined(resources_, &ModuleResources::javascript_files);
}
std::optional<std::string> TemplateModule::embedded_css() {
  return lines(joined(resources_, &ModuleResources::styles));
}
std::vector<std::string> TemplateModule::css_files() {
  return joined(resources_, &ModuleResources::css_files);
}
std::optional<std::string> TemplateModule::html_head() {
  std::string all;
  for (const auto& [file, of_file] : resources_) all += of_file.html_head;
  return all;
}
std::optional<std::string> TemplateModule::html_body() {
  std::string all;
  for (const auto& [file, of_file] : resources_) all += of_file.html_body;
  return all;
}

}  // namespace squall::web::detail
