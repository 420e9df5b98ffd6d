// Signed values: any text, any fields with a good signature, and good values with a change.

#include <squall/web/security/hmac.h>
#include <squall/web/security/signed_value.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

const auto kNow = std::chrono::system_clock::from_time_t(1700000000);
const CookieSecrets kOne = "a secret";
const CookieSecrets kSeveral = {{0, "zero"}, {7, "seven"}};

bool is_valid(const CookieSecrets& secrets, std::string_view name, std::string_view text) {
  SignedValueFault fault{};
  const auto value = decode_signed_value(secrets, name, text, kNow, {}, fault);
  FUZZ_CHECK(value.has_value() == (fault == SignedValueFault::none) && !describe(fault).empty());
  return value.has_value();
}

// Nobody guesses a signature.
void check_unsigned(std::string_view text) {
  FUZZ_CHECK(!is_valid(kOne, "name", text) && !is_valid(kSeveral, "name", text));
  const int version = signed_value_version(text);
  FUZZ_CHECK(version >= 1 && version <= 999);
  if (const auto key = get_signature_key_version(text)) FUZZ_CHECK(version == 2 && *key >= 0);
}

// The text of a valid value is the only one: to sign the value again gives the same text.
void check_signed(std::string_view fields) {
  std::string text = "2|" + std::string(fields) + "|";
  const auto signature = detail::hmac_sha256_hex("a secret", text);
  text.append(signature.data(), signature.size());
  const auto value = decode_signed_value(kOne, "name", text, kNow);
  if (!value) return;
  SigningOptions options;
  options.key_version = get_signature_key_version(text);
  FUZZ_CHECK(options.key_version);
  // Of fields `1:0|10:1700000000|...`, the time is the second.
  const std::size_t colon = text.find(':', text.find('|', 2));
  const auto time = std::chrono::seconds(std::stoll(text.substr(colon + 1)));
  const auto latest = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::duration::max());
  if (time > latest) return;
  FUZZ_CHECK(create_signed_value(kOne, "name", *value, std::chrono::system_clock::time_point(time),
                                 options) == text);
}

// `byte` is written to a place in a signed text.
void check_changed(std::string_view value, std::size_t place, char byte) {
  for (const int version : {1, 2}) {
    SigningOptions options;
    options.version = version;
    const std::string good = create_signed_value(kOne, value, value, kNow, options);
    FUZZ_CHECK(decode_signed_value(kOne, value, good, kNow) == value);
    FUZZ_CHECK(!is_valid(kSeveral, value, good));
    std::string bad = good;
    bad[place % bad.size()] = byte;
    FUZZ_CHECK(bad == good || !is_valid(kOne, value, bad));
    FUZZ_CHECK(!is_valid(kOne, value, good.substr(0, place % good.size())));
    FUZZ_CHECK(!is_valid(kOne, std::string(value) + "x", good));
  }
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check_unsigned(text);
  squall::web::check_signed(text);
  if (size >= 3) squall::web::check_changed(text.substr(3), data[0] * 256u + data[1], text[2]);
  return 0;
}
