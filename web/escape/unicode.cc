#include <squall/web/escape/unicode.h>

#include <squall/ioloop/base/utf8.h>
#include <squall/web/escape/code_point.h>

namespace squall::web {

std::optional<std::u32string> to_unicode(std::string_view bytes) {
  std::u32string characters;
  characters.reserve(bytes.size());
  while (!bytes.empty()) {
    if (utf8_length(bytes) == 0) return std::nullopt;
    const detail::Character first = detail::first_character(bytes);
    characters += first.code;
    bytes.remove_prefix(first.length);
  }
  return characters;
}

std::optional<std::string> utf8(std::u32string_view characters) {
  std::string bytes;
  bytes.reserve(characters.size());
  for (const char32_t code : characters) {
    if (!detail::is_scalar_value(code)) return std::nullopt;
    detail::append_utf8(bytes, code);
  }
  return bytes;
}

}  // namespace squall::web
