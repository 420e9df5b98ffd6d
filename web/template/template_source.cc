#include <squall/web/template/template_source.h>

#include <algorithm>

namespace squall::web {

std::optional<std::string> MapTemplates::read(const std::string& name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return std::nullopt;
  return found->second;
}

std::string MapTemplates::stamp(const std::string& name) const { return files_.contains(name) ? "1" : ""; }

std::optional<std::string> EmbeddedTemplates::read(const std::string& name) const {
  const auto found =
      std::lower_bound(files_.begin(), files_.end(), name,
                       [](const EmbeddedTemplate& file, const std::string& n) { return file.name < n; });
  if (found == files_.end() || found->name != name) return std::nullopt;
  return std::string(found->text);
}

std::string EmbeddedTemplates::stamp(const std::string& name) const { return read(name) ? "1" : ""; }

}  // namespace squall::web
