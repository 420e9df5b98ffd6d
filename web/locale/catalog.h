#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::web::detail {

// The translations of one locale, from one file.
//
// Thread:    any; a catalog does not change.
// Lifetime:  the views are valid as long as the catalog.
class Catalog {
 public:
  Catalog() = default;
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;
  virtual ~Catalog() = default;

  // nullopt without a translation.
  virtual std::optional<std::string_view> find(std::string_view message) const = 0;
  // The translation for `count` things. `message` is the text for one thing, `plural` for several.
  virtual std::optional<std::string_view> find(std::string_view message, std::string_view plural,
                                               std::int64_t count) const = 0;
  // Whether messages may have a context. The message of a context has the key context, kContextEnd, message.
  virtual bool has_contexts() const noexcept = 0;
};

inline constexpr char kContextEnd = '\x04';

}  // namespace squall::web::detail
