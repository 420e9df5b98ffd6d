#pragma once

#include <squall/web/template/template.h>
#include <squall/web/template/template_source.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web {

// Whether a TemplateLoader looks at the files again each time: for development.
enum class TemplateChanges { ignored, noticed };

// Loads templates by name, and keeps them compiled (TPL-29):
//
//     web::TemplateLoader loader("templates");
//     loader.load("page.html")->generate({{"title", "Hello"}});
//
// Names in {% extends %} and {% include %} are relative to the folder of their file; with a slash in front,
// to the root. No name leads out of the source.
//
// Thread:    any thread; one loads while others wait.
// Errors:    TemplateParseError; TemplateNotFoundError; std::system_error for files that cannot be read.
class TemplateLoader {
 public:
  // The files of a folder: FolderTemplates.
  explicit TemplateLoader(std::string folder, TemplateOptions options = {},
                          TemplateChanges changes = TemplateChanges::ignored);
  explicit TemplateLoader(std::unique_ptr<const TemplateSource> source, TemplateOptions options = {},
                          TemplateChanges changes = TemplateChanges::ignored);
  ~TemplateLoader();
  TemplateLoader(const TemplateLoader&) = delete;
  TemplateLoader& operator=(const TemplateLoader&) = delete;

  // `parent` is the file that the name is relative to. The template stays as it is when the file changes.
  std::shared_ptr<const Template> load(std::string_view name, std::string_view parent = {});
  // Forgets all templates, so that load() reads them again.
  void reset();

 private:
  class Cache;

  std::unique_ptr<Cache> cache_;
};

namespace detail {

// The path of the file beneath the root. Throws TemplateNotFoundError if it leaves the root.
std::string resolve_template_name(std::string_view name, std::string_view parent);

}  // namespace detail
}  // namespace squall::web
