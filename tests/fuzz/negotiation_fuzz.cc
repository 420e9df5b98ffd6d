// The preferences of a client, as in Accept, and entity tags.

#include <squall/http/message/accept.h>
#include <squall/http/message/etag.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_accept(std::string_view text) {
  int last = 1000;
  const auto preferences = parse_preferences(text);
  FUZZ_CHECK(preferences.size() <= 100);
  for (const Preference& preference : preferences) {
    FUZZ_CHECK(preference.quality >= 0 && preference.quality <= last);
    last = preference.quality;
    FUZZ_CHECK(!preference.value.empty() && lies_in(preference.value, text) &&
               lies_in(preference.params, text));
  }
  constexpr std::string_view kTypes[] = {"text/html;level=1", "text/plain", "image/png"};
  constexpr std::string_view kCodings[] = {"gzip", "br"};
  constexpr std::string_view kAllCodings[] = {"gzip", "br", "identity"};
  constexpr std::string_view kLanguages[] = {"en-GB", "en", "de"};
  const auto type = choose_type(text, kTypes);
  FUZZ_CHECK(!type || *type < 3);
  const auto coding = choose_encoding(text, kCodings);
  const auto any_coding = choose_encoding(text, kAllCodings);
  FUZZ_CHECK(!coding || any_coding);  // offering identity too can only add a choice
  FUZZ_CHECK(!preferences.empty() || (!coding && any_coding == 2u));
  const auto language = choose_language(text, kLanguages);
  FUZZ_CHECK(!language || *language < 3);
}

void check_etag(std::string_view text) {
  if (const auto tag = parse_etag(text)) {
    FUZZ_CHECK(format_etag(*tag) == text);
    FUZZ_CHECK(if_none_match(text, text));
    FUZZ_CHECK(if_match(text, text) == !tag->weak);
    FUZZ_CHECK(if_none_match(std::string("\"x y\", ").append(text), text));
  }
  FUZZ_CHECK(!if_match(text, "\"tag\"") || if_none_match(text, "\"tag\""));
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check_accept(text);
  squall::http::check_etag(text);
  return 0;
}
