// Header blocks. The text of parsed headers is a block of the same fields. Changes have the same effect as
// on a list of pairs.

#include <squall/http/message/header_lines.h>
#include <squall/ioloop/base/ascii.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

void check_text(const Headers& headers) {
  std::string text;
  for (const auto [name, value] : headers) {
    FUZZ_CHECK(is_token(name) && is_field_text(value));
    FUZZ_CHECK(headers.contains(name));
    text.append(name).append(": ").append(value).append("\r\n");
  }
  FUZZ_CHECK(text == headers.text());
}

void check(std::string_view block) {
  Headers headers;
  const bool good = parse_header_lines(block, headers).empty();
  check_text(headers);
  if (!good) return;
  Headers again;
  FUZZ_CHECK(parse_header_lines(headers.text(), again).empty());
  FUZZ_CHECK(again.size() == headers.size());
  if (headers.empty()) return;
  // Removes all fields with the first field's name, and no others.
  const std::string name(headers[0].name);
  const std::size_t count = headers.get_list(name).size();
  Headers removed = headers;
  FUZZ_CHECK(removed.remove(name) && !removed.contains(name) && removed.size() == headers.size() - count);
  check_text(removed);
  Headers replaced = headers;
  replaced.set(name, "a new value");
  FUZZ_CHECK(replaced.get(name) == "a new value" && replaced.size() == headers.size() - count + 1);
  FUZZ_CHECK(replaced[0].value == "a new value");
  check_text(replaced);
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string block(reinterpret_cast<const char*>(data), size);
  squall::http::check(block);
  return 0;
}
