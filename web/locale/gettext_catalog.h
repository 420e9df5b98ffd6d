#pragma once

#include <squall/web/locale/catalog.h>
#include <squall/web/locale/plural_rule.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace squall::web::detail {

// A binary catalog of gettext (.mo) in the memory (LOC-04): of both byte orders, and of the major revisions 0
// and 1. Strings that depend on the system are left out.
//
// The layout, in numbers of 32 bits: the magic number, the revision, the count of strings, and the offsets of
// two tables, of messages and of translations. A table has a length and an offset for each string. A message
// with a context is context, kContextEnd, message; one with a plural is message, NUL, plural, and its
// translation has a form behind each NUL.
class GettextCatalog final : public Catalog {
 public:
  // Throws TranslationError for bytes that are no such catalog, and for a charset other than UTF-8 and ASCII.
  explicit GettextCatalog(std::string bytes);

  std::optional<std::string_view> find(std::string_view message) const override;
  // nullopt too for an entry without a plural, and for a count whose form is missing. A negative count is
  // taken as an unsigned number, as in ngettext() of C.
  std::optional<std::string_view> find(std::string_view message, std::string_view plural,
                                       std::int64_t count) const override;
  bool has_contexts() const noexcept override { return true; }

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::string_view forms;
    bool has_plural = false;
  };

  void add(std::string_view message, std::string_view translation);
  void read_header(std::string_view header);
  std::optional<std::string_view> form_of(const Entry& entry, std::int64_t count) const;

  const std::string bytes_;
  std::unordered_map<std::string_view, Entry> entries_;  // views into bytes_
  PluralRule rule_;
};

}  // namespace squall::web::detail
