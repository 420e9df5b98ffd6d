// XSRF tokens: any text, and tokens of any bytes with any mask.

#include <squall/web/security/xsrf_token.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

const auto kNow = std::chrono::system_clock::from_time_t(1700000000);

// A token that was read is read again from each of its texts.
void check_token(const XsrfToken& token, XsrfToken::Mask mask) {
  for (const std::string& text : {token.encode(), token.encode(1), token.encode_masked(mask)}) {
    FUZZ_CHECK(text.find_first_not_of("0123456789abcdef|") == text.npos);
    const auto again = XsrfToken::decode(text, kNow);
    FUZZ_CHECK(again && again->matches(token) && token.matches(*again) && again->bytes() == token.bytes());
    FUZZ_CHECK(again->issued() == (text[1] == '|' ? token.issued() : kNow));
  }
}

void check(std::string_view text) {
  const auto token = XsrfToken::decode(text, kNow);
  if (!token) return;
  FUZZ_CHECK(!token->bytes().empty() && token->bytes().size() <= text.size());
  check_token(*token, {});
  const XsrfToken other(token->bytes() + "x", kNow);
  FUZZ_CHECK(!other.matches(*token) && !token->matches(other));
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check(text);
  if (size > 4) {
    const squall::web::XsrfToken token(text.substr(4), squall::web::kNow);
    squall::web::check_token(token, {text[0], text[1], text[2], text[3]});
  }
  return 0;
}
