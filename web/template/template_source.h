#pragma once

#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

// The source has no template of that name, or the name leads out of it.
class TemplateNotFoundError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where a TemplateLoader gets its files. Names are relative paths with `/`, without `.` and `..`.
//
// Thread:    one thread at a time.
class TemplateSource {
 public:
  virtual ~TemplateSource() = default;

  // nullopt if there is no such file. Throws std::system_error for a file that cannot be read, and
  // TemplateNotFoundError for one that may not.
  virtual std::optional<std::string> read(const std::string& name) const = 0;
  // A text that changes when the file does; empty without a file.
  virtual std::string stamp(const std::string& name) const = 0;
  // For messages: `the folder '/srv/pages'`; empty if there is nothing to say.
  virtual std::string place() const { return {}; }
};

// Templates in memory, as Tornado's DictLoader has them.
class MapTemplates : public TemplateSource {
 public:
  explicit MapTemplates(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  std::optional<std::string> read(const std::string& name) const override;
  std::string stamp(const std::string& name) const override;

 private:
  std::map<std::string, std::string> files_;
};

struct EmbeddedTemplate {
  std::string_view name;
  std::string_view text;
};

// Templates that the build has put into the program: see docs/templates.md.
//
// Lifetime:  borrows the templates.
class EmbeddedTemplates : public TemplateSource {
 public:
  // Sorted by name, as tools/embed_templates.py writes them.
  explicit EmbeddedTemplates(std::span<const EmbeddedTemplate> files) noexcept : files_(files) {}

  std::optional<std::string> read(const std::string& name) const override;
  std::string stamp(const std::string& name) const override;

 private:
  std::span<const EmbeddedTemplate> files_;
};

}  // namespace squall::web
