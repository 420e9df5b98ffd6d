#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

// How a template's text treats whitespace (TPL-27).
enum class TemplateWhitespace : std::uint8_t {
  all,      // it stays
  single,   // runs of spaces and tabs become one space, whitespace with a newline becomes one newline
  oneline,  // each run becomes one space
};

namespace detail {

// The mode of that name; nullopt for another name.
std::optional<TemplateWhitespace> whitespace_named(std::string_view name) noexcept;
// `single` for names that end with .html or .js, otherwise `all`.
TemplateWhitespace whitespace_of_file(std::string_view file) noexcept;
// A text with `<pre>` stays as it is.
std::string filter_whitespace(TemplateWhitespace mode, std::string_view text);

}  // namespace detail
}  // namespace squall::web
