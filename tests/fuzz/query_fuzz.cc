// Queries, forms and percent escapes: decoding undoes encoding, and an argument is not longer than its text.

#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/query.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

void check(std::string_view text) {
  for (const Plus plus : {Plus::is_plus, Plus::is_space}) {
    const std::string escaped = url_escape(text, plus);
    FUZZ_CHECK(percent_decode(escaped, plus) == text);
    for (const char c : escaped)
      FUZZ_CHECK(c > 0x20 && c < 0x7f && c != '&' && c != '=' && c != '#' && c != '"');
    FUZZ_CHECK(percent_decode(text, plus).size() <= text.size());
  }
  const auto arguments = parse_query(text);
  if (!arguments) return;
  std::size_t size = 0;
  for (const auto& [name, value] : *arguments) size += name.size() + value.size();
  FUZZ_CHECK(size <= text.size());
  FUZZ_CHECK(parse_query(urlencode(*arguments)) == *arguments);
  // The limit is exact.
  FUZZ_CHECK(parse_query(text, 3).has_value() || arguments->size() > 3 || text.find("&") != text.npos);
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check(text);
  return 0;
}
