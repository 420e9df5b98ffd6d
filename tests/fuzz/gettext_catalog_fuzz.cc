// The reader of gettext catalogs, and a look-up of every message. Input: a .mo file.

#include <squall/ioloop/base/utf8.h>
#include <squall/web/locale/gettext_catalog.h>
#include <squall/web/locale/translation_error.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web::detail {
namespace {

void check(const std::string& bytes) {
  try {
    const GettextCatalog catalog(bytes);
    FUZZ_CHECK(catalog.size() * 16 <= bytes.size());
    // Every piece between two NULs is perhaps a message.
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::size_t end = rest.find('\0');
      const std::string_view message = rest.substr(0, end);
      if (const auto found = catalog.find(message)) FUZZ_CHECK(is_utf8(*found));
      for (const std::int64_t count : {-1, 0, 1, 2, 100}) {
        if (const auto found = catalog.find(message, "", count)) FUZZ_CHECK(found->find('\0') == found->npos);
      }
      if (end == rest.npos) break;
      rest.remove_prefix(end + 1);
    }
  } catch (const TranslationError& error) {
    FUZZ_CHECK(*error.what() != '\0');
  }
}

}  // namespace
}  // namespace squall::web::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::web::detail::check(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
