#include <squall/web/template/template_loader.h>

#include <squall/web/template/folder_templates.h>
#include <squall/web/template/template_compiler.h>
#include <squall/web/template/template_parser.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace squall::web {

class TemplateLoader::Cache : public detail::TemplateFiles {
 public:
  Cache(std::unique_ptr<const TemplateSource> source, TemplateOptions options, TemplateChanges changes)
      : source_(std::move(source)),
        options_(std::make_shared<const TemplateOptions>(std::move(options))),
        changes_(changes) {}

  std::shared_ptr<const Template> load(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (changes_ == TemplateChanges::noticed && has_changed()) clear();
    const auto found = templates_.find(name);
    if (found != templates_.end()) return found->second;
    const detail::TemplateFilePtr root = file(name, {});
    const auto program = detail::TemplateCompiler(this, options_->libraries).compile(root);
    return templates_.emplace(name, std::make_shared<const Template>(name, options_, program)).first->second;
  }

  void reset() {
    const std::lock_guard lock(mutex_);
    clear();
  }

  // Called by load() and by the compiler.
  detail::TemplateFilePtr file(const std::string& name, const std::string& parent) override {
    const std::string path = detail::resolve_template_name(name, parent);
    const auto found = files_.find(path);
    if (found != files_.end()) return found->second.file;
    // Before the text is read: a change in between is noticed later.
    std::string stamp = source_->stamp(path);
    std::optional<std::string> text = source_->read(path);
    if (!text) refuse(path);
    auto parsed =
        detail::TemplateParser::parse(path, std::move(*text), {options_->autoescape, options_->whitespace});
    return files_.emplace(path, File{std::move(parsed), std::move(stamp)}).first->second.file;
  }

 private:
  [[noreturn]] void refuse(const std::string& path) const {
    const std::string place = source_->place();
    throw TemplateNotFoundError(
        fmt::format("there is no template '{}'{}{}", path, place.empty() ? "" : " in ", place));
  }

  struct File {
    detail::TemplateFilePtr file;
    std::string stamp;
  };

  bool has_changed() const {
    return std::any_of(files_.begin(), files_.end(), [this](const auto& entry) {
      return source_->stamp(entry.first) != entry.second.stamp;
    });
  }

  void clear() {
    templates_.clear();
    files_.clear();
  }

  const std::unique_ptr<const TemplateSource> source_;
  const std::shared_ptr<const TemplateOptions> options_;
  const TemplateChanges changes_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Template>> templates_;
  std::map<std::string, File> files_;
};

TemplateLoader::TemplateLoader(std::string folder, TemplateOptions options, TemplateChanges changes)
    : TemplateLoader(std::make_unique<FolderTemplates>(std::move(folder)), std::move(options), changes) {}

TemplateLoader::TemplateLoader(std::unique_ptr<const TemplateSource> source, TemplateOptions options,
                               TemplateChanges changes)
    : cache_(std::make_unique<Cache>(std::move(source), std::move(options), changes)) {}

TemplateLoader::~TemplateLoader() = default;

std::shared_ptr<const Template> TemplateLoader::load(std::string_view name, std::string_view parent) {
  return cache_->load(detail::resolve_template_name(name, parent));
}

void TemplateLoader::reset() { cache_->reset(); }

namespace detail {

std::string resolve_template_name(std::string_view name, std::string_view parent) {
  const auto fail = [&](const char* why) {
    throw TemplateNotFoundError(fmt::format("the template name '{}' {}", name, why));
  };
  if (name.empty()) fail("is empty");
  if (name.find('\0') != name.npos) fail("has a character that no path has");
  std::vector<std::string_view> parts;
  const auto add = [&](std::string_view path) {
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      const std::string_view part = path.substr(0, end);
      path.remove_prefix(std::min(end + 1, path.size()));
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (parts.empty()) {
        fail("leads out of the templates");
      } else {
        parts.pop_back();
      }
    }
  };
  const std::size_t slash = parent.rfind('/');
  if (name.front() != '/' && slash != parent.npos) add(parent.substr(0, slash));
  add(name);
  if (parts.empty()) fail("is a folder's");
  return fmt::format("{}", fmt::join(parts, "/"));
}

}  // namespace detail
}  // namespace squall::web
