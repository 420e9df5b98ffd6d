#include <squall/web/security/hmac.h>
#include <squall/web/security/signed_value.h>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::signed_value_test {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::system_clock;
using Fault = SignedValueFault;

constexpr const char* kSecret = "s3cr3t-demo-key";
const system_clock::time_point kNow = system_clock::from_time_t(1700000000);
const std::string kV1 = "YWxpY2U=|1700000000|f386416b5c7953b418ada862031c6caabfe90094";
const std::string kV2 =
    "2|1:0|10:1700000000|4:user|8:YWxpY2U=|"
    "47a100017dc033a3943c9f1413b58a76bd0e46ba805a1f8af39ee9d3d4567490";
const std::string kV3 =
    "2|1:3|10:1700000000|4:user|8:YWxpY2U=|"
    "9f08cbeae59e21a7fe58ffd8dd7d6859e0448664421d04ef2491d04650d90e4c";

std::string hex_of(std::string_view secret, std::string_view text) {
  const auto hex = detail::hmac_sha256_hex(secret, text);
  return {hex.data(), hex.size()};
}

// Format 2 around fields that need not be right, with a good signature.
std::string sign(std::string_view fields) {
  const std::string text = fmt::format("2|{}|", fields);
  return text + hex_of(kSecret, text);
}

std::string sign_v1(std::string_view name, std::string_view base64, std::string_view time) {
  const auto hex = detail::hmac_sha1_hex(kSecret, fmt::format("{}{}{}", name, base64, time));
  return fmt::format("{}|{}|{}", base64, time, std::string_view(hex.data(), hex.size()));
}

Fault fault_of(std::string_view text, std::string_view name = "user", system_clock::time_point now = kNow,
               const VerifyOptions& options = {}, const CookieSecrets& secrets = kSecret) {
  Fault fault = Fault::none;
  const auto value = decode_signed_value(secrets, name, text, now, options, fault);
  CHECK(value.has_value() == (fault == Fault::none));
  return fault;
}

TEST_CASE("HMACs are those of RFC 2202 and RFC 4231", "[signed_value]") {
  const std::string text = "what do ya want for nothing?";
  const auto sha1 = detail::hmac_sha1_hex("Jefe", text);
  CHECK(std::string_view(sha1.data(), sha1.size()) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(hex_of("Jefe", text) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("values are signed as by Tornado (WEB-94, WEB-V1 to WEB-V5)", "[signed_value]") {
  SigningOptions old;
  old.version = 1;
  CHECK(create_signed_value(kSecret, "user", "alice", kNow, old) == kV1);
  CHECK(create_signed_value(kSecret, "user", "alice", kNow) == kV2);
  SigningOptions third;
  third.key_version = 3;
  const CookieSecrets secrets = {{0, "zero-key"}, {3, "three-key"}};
  CHECK(create_signed_value(secrets, "user", "alice", kNow, third) == kV3);
  CHECK(create_signed_value(kSecret, "k", "", kNow) ==
        "2|1:0|10:1700000000|1:k|0:|50e1fc61252b8624a612613e9e41b646c684cdc1c731cf569601dd14bfea1e9a");
  CHECK(create_signed_value(kSecret, "bin", "\xE9", kNow) ==
        "2|1:0|10:1700000000|3:bin|4:6Q==|3e982edf1ef9bfb71bbe2646da5eff79c2643ba95f7a9c1d7b37db871bb63159");
  CHECK(create_signed_value(kSecret, "user", "alice", kNow + std::chrono::milliseconds(999)) == kV2);
}

TEST_CASE("signed values are read back (WEB-V1 to WEB-V5)", "[signed_value]") {
  CHECK(decode_signed_value(kSecret, "user", kV1, kNow) == "alice");
  CHECK(decode_signed_value(kSecret, "user", kV2, kNow) == "alice");
  const CookieSecrets secrets = {{0, "zero-key"}, {3, "three-key"}};
  CHECK(decode_signed_value(secrets, "user", kV3, kNow) == "alice");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const int version : {1, 2}) {
    SigningOptions options;
    options.version = version;
    for (const std::string& value : {std::string(), std::string("x"), all})
      CHECK(decode_signed_value(kSecret, "n|a:m", create_signed_value(kSecret, "n|a:m", value, kNow, options),
                                kNow) == value);
  }
}

TEST_CASE("a value is read until 31 days later, and from any time before (WEB-95, WEB-V6)",
          "[signed_value]") {
  CHECK(fault_of(kV2, "user", kNow + days(31)) == Fault::none);
  CHECK(fault_of(kV2, "user", kNow + days(31) + seconds(1)) == Fault::expired);
  CHECK(fault_of(kV2, "user", kNow + days(31) + std::chrono::milliseconds(1)) == Fault::expired);
  CHECK(fault_of(kV2, "user", kNow - days(40)) == Fault::none);
  CHECK(fault_of(kV1, "user", kNow + days(31)) == Fault::none);
  CHECK(fault_of(kV1, "user", kNow + days(31) + seconds(1)) == Fault::expired);
  VerifyOptions options;
  options.max_age = seconds(10);
  CHECK(fault_of(kV2, "user", kNow + seconds(10), options) == Fault::none);
  CHECK(fault_of(kV2, "user", kNow + seconds(11), options) == Fault::expired);
  options.max_age = std::chrono::hours::max();
  CHECK(fault_of(kV2, "user", kNow + days(36500), options) == Fault::none);
  options.max_age = std::chrono::hours::min();
  CHECK(fault_of(kV2, "user", kNow, options) == Fault::expired);
}

TEST_CASE("a value of format 1 is refused from 31 days in the future (WEB-96, WEB-V7)", "[signed_value]") {
  CHECK(fault_of(kV1, "user", kNow - days(31)) == Fault::none);
  CHECK(fault_of(kV1, "user", kNow - days(31) - seconds(1)) == Fault::in_future);
  VerifyOptions options;
  options.max_age = days(400);
  CHECK(fault_of(kV1, "user", kNow - days(32), options) == Fault::in_future);
}

TEST_CASE("min_version refuses format 1, and no higher version exists (WEB-93, WEB-V7)", "[signed_value]") {
  VerifyOptions options;
  options.min_version = 2;
  CHECK(fault_of(kV1, "user", kNow, options) == Fault::unsupported_version);
  CHECK(fault_of(kV2, "user", kNow, options) == Fault::none);
  options.min_version = 3;
  CHECK_THROWS_AS(decode_signed_value(kSecret, "user", kV2, kNow, options), std::invalid_argument);
  STATIC_REQUIRE(kMinSupportedSignedValueVersion == 1);
  STATIC_REQUIRE(kMaxSupportedSignedValueVersion == 2);
  STATIC_REQUIRE(kDefaultSignedValueVersion == 2);
  STATIC_REQUIRE(kDefaultSignedValueMinVersion == 1);
}

TEST_CASE("the version of a text is the number before its first bar (WEB-97, WEB-V8)", "[signed_value]") {
  CHECK(signed_value_version("2|1:0|") == 2);
  CHECK(signed_value_version("1|x") == 1);
  CHECK(signed_value_version("999|abc") == 999);
  for (const char* text : {"1000|abc", "02|a", "0|a", "abc|def|ghi", "", "|", "2", "-2|a", "+2|a", " 2|a",
                           "2 |a", "18446744073709551618|a"})
    CHECK(signed_value_version(text) == 1);
  CHECK(fault_of("999|abc") == Fault::unsupported_version);
  CHECK(fault_of("3|" + kV2.substr(2)) == Fault::unsupported_version);
}

TEST_CASE("a value of another name or another secret is refused (WEB-95, WEB-V6)", "[signed_value]") {
  CHECK(fault_of(kV2, "usr") == Fault::other_name);
  CHECK(fault_of(kV2, "") == Fault::other_name);
  CHECK(fault_of(kV1, "usr") == Fault::invalid_signature);
  CHECK(fault_of(kV2, "user", kNow, {}, "another") == Fault::invalid_signature);
  CHECK(fault_of(kV1, "user", kNow, {}, "another") == Fault::invalid_signature);
  CHECK(fault_of(kV2, "user", kNow, {}, CookieSecrets()) == Fault::unknown_key);
  CHECK(fault_of(kV1, "user", kNow, {}, CookieSecrets()) == Fault::unknown_key);
}

TEST_CASE("a secret is replaced without invalidating its values (WEB-92)", "[signed_value]") {
  const CookieSecrets secrets = {{1, "old"}, {2, "new"}};
  SigningOptions options;
  options.key_version = 1;
  const std::string signed_before = create_signed_value(secrets, "n", "v", kNow, options);
  CHECK(decode_signed_value(secrets, "n", signed_before, kNow) == "v");
  CHECK(decode_signed_value("old", "n", signed_before, kNow) == "v");
  const CookieSecrets later = {{2, "new"}, {3, "newer"}};
  CHECK(fault_of(signed_before, "n", kNow, {}, later) == Fault::unknown_key);
  // A client cannot choose another secret: the key version is signed too.
  std::string moved = signed_before;
  moved[4] = '2';
  CHECK(fault_of(moved, "n", kNow, {}, secrets) == Fault::invalid_signature);
  // Secrets with key versions need format 2.
  CHECK(fault_of(kV1, "user", kNow, {}, CookieSecrets({{0, kSecret}})) == Fault::unsupported_version);
}

TEST_CASE("signing without a secret or with options that do not fit throws (WEB-92, WEB-93)",
          "[signed_value]") {
  const CookieSecrets secrets = {{1, "one"}};
  const auto throws = [](const CookieSecrets& with, int version, std::optional<int> key_version) {
    SigningOptions options;
    options.version = version;
    options.key_version = key_version;
    try {
      create_signed_value(with, "n", "v", kNow, options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  CHECK(throws(secrets, 2, {}) == "key_version setting must be used for secret_key dicts");
  CHECK(throws(secrets, 1, 1) == "Version must be at least 2 for key version support");
  CHECK(throws(secrets, 2, 2) == "no cookie secret has the key version 2");
  CHECK(throws(CookieSecrets(), 2, {}) == "a value cannot be signed without a cookie secret");
  CHECK(throws(kSecret, 2, -1) == "key_version is negative");
  CHECK(throws(kSecret, 0, {}) == "Unsupported version 0");
  CHECK(throws(kSecret, 3, {}) == "Unsupported version 3");
  CHECK(throws(kSecret, 1, {}) == "nothing");
}

TEST_CASE("the key version of format 2 is read without its signature (WEB-98)", "[signed_value]") {
  CHECK(get_signature_key_version(kV2) == 0);
  CHECK(get_signature_key_version(kV3) == 3);
  CHECK(get_signature_key_version("2|2:17|1:1|1:n|0:|") == 17);
  CHECK_FALSE(get_signature_key_version(kV1));
  for (const char* text : {"", "2|", "3|1:0|1:1|1:n|0:|x", "2|2:-1|1:1|1:n|0:|",
                           "2|10:2147483648|1:1|1:n|0:|", "2|1:0|1:1|1:n|0:", "2|0:|1:1|1:n|0:|"})
    CHECK_FALSE(get_signature_key_version(text));
}

TEST_CASE("malformed fields of format 2 are refused, also with a good signature (WEB-95)", "[signed_value]") {
  CHECK(fault_of(sign("1:0|10:1700000000|4:user|8:YWxpY2U=")) == Fault::none);
  for (const char* fields : {"",
                             "1:0",
                             "1:0|10:1700000000",
                             "1:0|10:1700000000|4:user",
                             "1:0|10:1700000000|4:user|8:YWxpY2U",
                             "1:0|10:1700000000|4:user|9:YWxpY2U=",
                             "1:0|10:1700000000|4:user|7:YWxpY2U=",
                             "01:0|10:1700000000|4:user|8:YWxpY2U=",
                             "+1:0|10:1700000000|4:user|8:YWxpY2U=",
                             "1:x|10:1700000000|4:user|8:YWxpY2U=",
                             "2:00|10:1700000000|4:user|8:YWxpY2U=",
                             "2:-1|10:1700000000|4:user|8:YWxpY2U=",
                             "11:99999999999|10:1700000000|4:user|8:YWxpY2U=",
                             "1:0|1:x|4:user|8:YWxpY2U=",
                             "1:0|0:|4:user|8:YWxpY2U=",
                             "1:0|11:-1700000000|4:user|8:YWxpY2U=",
                             "1:0|20:99999999999999999999|4:user|8:YWxpY2U=",
                             "1:0|10:1700000000|4:user|8:YWxp*2U=",
                             "1:0|10:1700000000|4:user|7:YWxpY2U",
                             "99999999999999999999:0|1:1|1:n|0:",
                             "18446744073709551615:0|1:1|1:n|0:",
                             "-1:0|1:1|1:n|0:",
                             "1:0|10:1700000000|4:user|8:YWxpY2U=|x"}) {
    INFO(fields);
    const Fault fault = fault_of(sign(fields));
    CHECK((fault == Fault::malformed || fault == Fault::invalid_signature));
  }
}

TEST_CASE("no changed byte and no cut leaves a signed value valid (WEB-94)", "[signed_value]") {
  for (const std::string& good : {kV1, kV2}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      CHECK_FALSE(decode_signed_value(kSecret, "user", good.substr(0, at), kNow));
      for (const int bit : {1, 0x20, 0x80}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ bit);
        if (decode_signed_value(kSecret, "user", bad, kNow)) FAIL(bad);
      }
    }
    CHECK_FALSE(decode_signed_value(kSecret, "user", good + " ", kNow));
    CHECK_FALSE(decode_signed_value(kSecret, "user", " " + good, kNow));
  }
}

TEST_CASE("digits that a client moves between value and time of format 1 are found (SEC-42, WEB-96)",
          "[signed_value]") {
  const std::string good = sign_v1("user", "abcd1234", "1700000000");
  CHECK(fault_of(good) == Fault::none);
  const std::string signature = good.substr(good.rfind('|'));
  CHECK(fault_of("abcd|12341700000000" + signature) == Fault::in_future);
  CHECK(fault_of("abcd123|41700000000" + signature) == Fault::in_future);
  CHECK(fault_of("abcd12341|700000000" + signature) == Fault::expired);
  CHECK(fault_of("abcd12341700000000|" + signature) == Fault::tampered);
  CHECK(fault_of("|abcd12341700000000" + signature) == Fault::tampered);
  // The added digits are zeros: the time is the same.
  const std::string zeros = sign_v1("user", "abcd0000", "1700000000");
  CHECK(fault_of("abcd|00001700000000" + zeros.substr(zeros.rfind('|'))) == Fault::tampered);
  CHECK(fault_of("abcd|99999999999999999999|x") == Fault::invalid_signature);
  CHECK(fault_of(sign_v1("user", "abcd", "99999999999999999999")) == Fault::tampered);
  CHECK(fault_of(sign_v1("user", "abc", "1700000000")) == Fault::tampered);
}

TEST_CASE("the end of a name of format 1 can become the value: min_version 2 forbids it (SEC-42)",
          "[signed_value]") {
  SigningOptions old;
  old.version = 1;
  const std::string good = create_signed_value(kSecret, "userABCD", "alice", kNow, old);
  const std::string moved = "ABCD" + good;
  CHECK(decode_signed_value(kSecret, "user", moved, kNow) == std::string("\0\x10\x83"
                                                                         "alice",
                                                                         8));
  VerifyOptions options;
  options.min_version = 2;
  CHECK(fault_of(moved, "user", kNow, options) == Fault::unsupported_version);
  // Format 2 signs the length of the name.
  const std::string text = create_signed_value(kSecret, "userABCD", "alice", kNow);
  CHECK(fault_of(text, "user", kNow, options) == Fault::other_name);
}

TEST_CASE("format 1 has exactly three parts (WEB-96)", "[signed_value]") {
  for (const char* text : {"", "|", "a|b", "a|b|c|d", "||||"}) CHECK(fault_of(text) == Fault::malformed);
  CHECK(fault_of("||") == Fault::invalid_signature);
}

TEST_CASE("each fault has a text for the log, Tornado's where it has one (WEB-96)", "[signed_value]") {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(Fault::tampered); ++i)
    CHECK(texts.insert(describe(static_cast<Fault>(i))).second);
  CHECK_FALSE(texts.contains(""));
  CHECK(describe(Fault::invalid_signature) == "Invalid cookie signature");
  CHECK(describe(Fault::expired) == "Expired cookie");
  CHECK(describe(Fault::in_future) == "Cookie timestamp in future; possible tampering");
  CHECK(describe(Fault::tampered) == "Tampered cookie");
}

TEST_CASE("a text of a megabyte is refused at once", "[signed_value]") {
  const auto begun = std::chrono::steady_clock::now();
  for (const std::string_view unit : {"|", "1:0|", "2|", "a", "9"}) {
    std::string text = "2|";
    while (text.size() < 1'000'000) text += unit;
    CHECK_FALSE(decode_signed_value(kSecret, "user", text, kNow));
    CHECK_FALSE(decode_signed_value(kSecret, "user", text.substr(2), kNow));
  }
  CHECK(std::chrono::steady_clock::now() - begun < seconds(5));
}

}  // namespace
}  // namespace squall::web::signed_value_test
