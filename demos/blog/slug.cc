#include "slug.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace blog {
namespace {

struct FreeSlug {
  void operator()(utf8proc_uint8_t* text) const noexcept { std::free(text); }
};

// NFKD in lower case, without accents. Empty for text that is not UTF-8.
std::string decomposed(std::string_view text) {
  const auto* const bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
                                                      UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(text.size()), &result, options);
  const std::unique_ptr<utf8proc_uint8_t, FreeSlug> owner(result);
  if (length < 0) return {};
  return {reinterpret_cast<const char*>(result), static_cast<std::size_t>(length)};
}

bool is_word(utf8proc_int32_t character) {
  if (character == '_') return true;
  const utf8proc_category_t category = utf8proc_category(character);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

}  // namespace

std::string slug_of(std::string_view title) {
  const std::string text = decomposed(title);
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  std::string slug;
  bool is_word_begin = true;
  while (left > 0 && slug.size() < kMaxSlug) {
    utf8proc_int32_t character = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(at, left, &character);
    if (size <= 0) break;
    at += size;
    left -= size;
    if (!is_word(character)) {
      is_word_begin = true;
    } else if (character < 0x80) {
      if (is_word_begin && !slug.empty()) slug += '-';
      slug += static_cast<char>(character);
      is_word_begin = false;
    }
  }
  slug.resize(std::min(slug.size(), kMaxSlug));
  while (slug.ends_with('-')) slug.pop_back();
  return slug.empty() ? "entry" : slug;
}

}  // namespace blog
