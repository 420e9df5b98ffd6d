// Parameters of headers. A parsed value without forbidden characters can be formatted, and parsed again to
// the same value. The elements of a list are parts of its text, in order.

#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

bool can_be_written(const HeaderParams& header) {
  const auto is_text = [](std::string_view text) {
    return is_utf8(text) && is_field_text(text) && text.find('\t') == text.npos;
  };
  for (const auto& [name, value] : header.params)
    if (!is_token(name) || name.ends_with('*') || !is_text(value)) return false;
  return is_text(header.value) && is_token(header.value);
}

void check(std::string_view text) {
  const HeaderParams header = parse_header(text);
  for (const auto& [name, value] : header.params) {
    FUZZ_CHECK(!name.empty() && header.find(name) != nullptr);
    for (const char c : name) FUZZ_CHECK(c < 'A' || c > 'Z');
  }
  if (can_be_written(header)) {
    // For a name with a plain and an extended value the first of each kind counts.
    const HeaderParams again = parse_header(format_header(header.value, header.params));
    FUZZ_CHECK(again.value == header.value && again.params.size() <= header.params.size());
    bool unique = true;
    for (const auto& param : header.params) unique = unique && header.find(param.first) == &param.second;
    for (const auto& [name, value] : header.params) {
      const std::string* other = again.find(name);
      FUZZ_CHECK(other != nullptr && (!unique || *other == value));
    }
  }
  try {
    const std::string disposition = content_disposition("attachment", text);
    FUZZ_CHECK(is_field_text(disposition));
    const HeaderParams again = parse_header(disposition);
    const std::string* filename = again.find("filename");
    FUZZ_CHECK(text.empty() ? filename == nullptr : filename != nullptr && *filename == text);
  } catch (const std::invalid_argument&) {
    FUZZ_CHECK(!is_utf8(text) || !is_field_text(text) || text.find('\t') != text.npos);
  }
  std::string_view rest = text;
  const char* at = text.data();
  while (const auto element = next_list_element(rest)) {
    FUZZ_CHECK(!element->empty() && element->data() >= at && trim(*element) == *element);
    at = element->data() + element->size();
    FUZZ_CHECK(at <= text.data() + text.size());
  }
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check(text);
  return 0;
}
