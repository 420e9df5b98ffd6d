// The compiler and the machine of plural rules. Input: the value of the header Plural-Forms.

#include <squall/web/locale/plural_rule.h>
#include <squall/web/locale/translation_error.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web::detail {
namespace {

void check(std::string_view header) {
  try {
    const PluralRule rule(header);
    const PluralRule copy = rule;
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{11}, UINT64_MAX}) {
      const auto form = rule.form_of(count);
      FUZZ_CHECK(!form || *form < PluralRule::kMostForms);
      FUZZ_CHECK(copy.form_of(count) == form);
    }
  } catch (const TranslationError& error) {
    FUZZ_CHECK(std::string_view(error.what()).size() < PluralRule::kMostText + 100 + header.size());
  }
}

}  // namespace
}  // namespace squall::web::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::web::detail::check(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
