#pragma once

#include <squall/web/template/template_error.h>
#include <squall/web/template/template_limits.h>
#include <squall/web/template/template_run.h>
#include <squall/web/template/template_value.h>
#include <squall/web/template/template_whitespace.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

namespace detail {

struct TemplateProgram;

}  // namespace detail

// How templates are read and run (TPL-30).
struct TemplateOptions {
  // The function that {{ }} escapes values with, unless a file says otherwise by {% autoescape %}. With
  // xhtml_escape values are escaped by their place in the page. nullopt: none, which is unsafe for pages.
  std::optional<std::string> autoescape = "xhtml_escape";
  // nullopt: `single` for names that end with .html or .js, otherwise `all`.
  std::optional<TemplateWhitespace> whitespace{};
  // Names for all templates; arguments come before them. `namespace` of Tornado.
  TemplateArguments names{};
  // Values for {% import %}: maps of functions.
  TemplateArguments libraries{};
  TemplateLimits limits{};
};

// A compiled template, with the files that it extends and includes:
//
//     const web::Template hello("Hello, {{ name }}!");
//     hello.generate({{"name", "<world>"}});  // Hello, &lt;world&gt;!
//
// Thread:    const functions from any thread.
// Errors:    TemplateParseError for a wrong text; TemplateRunError from generate().
class Template {
 public:
  // A template of its own, which can neither extend nor include another. `name` is for errors, and its ending
  // tells the kind of the text; a TemplateLoader reads files.
  explicit Template(std::string text, std::string name = "<string>", TemplateOptions options = {});

  std::string generate(const TemplateArguments& arguments = {}, const TemplateLookup& lookup = {}) const;
  // The same at the end of `out`. After an exception `out` is as it was.
  void append_to(std::string& out, const TemplateArguments& arguments = {},
                 const TemplateLookup& lookup = {}) const;

  const std::string& name() const noexcept { return name_; }
  const TemplateOptions& options() const noexcept { return *options_; }

  // For Squall's own use.
  Template(std::string name, std::shared_ptr<const TemplateOptions> options,
           std::shared_ptr<const detail::TemplateProgram> program);
  const std::shared_ptr<const detail::TemplateProgram>& program() const noexcept { return program_; }
  std::shared_ptr<const TemplateArguments> shared_names() const noexcept;

 private:
  std::string name_;
  std::shared_ptr<const TemplateOptions> options_;
  std::shared_ptr<const detail::TemplateProgram> program_;
};

}  // namespace squall::web
