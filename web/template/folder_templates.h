#pragma once

#include <squall/web/template/template_source.h>

#include <optional>
#include <string>
#include <utility>

namespace squall::web {

// The templates in a folder, and in the folders beneath it. Symbolic links are followed as long as they stay
// beneath the folder, which may be a link itself. Who can write into the folder is trusted.
class FolderTemplates : public TemplateSource {
 public:
  // `root` need not exist yet.
  explicit FolderTemplates(std::string root) : root_(std::move(root)) {}

  std::optional<std::string> read(const std::string& name) const override;
  // Of device, inode, size and time of the last change.
  std::string stamp(const std::string& name) const override;
  std::string place() const override;

 private:
  std::string path_of(const std::string& name) const;

  std::string root_;
};

}  // namespace squall::web
