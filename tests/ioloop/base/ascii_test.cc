#include <squall/ioloop/base/ascii.h>

#include <array>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::ascii_test {
namespace {

// Every character, in order.
std::string all_characters() {
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  return text;
}

template <class Is>
std::string those_that(Is is) {
  std::string text;
  for (const char c : all_characters())
    if (is(c)) text += c;
  return text;
}

bool is_one_of(char c, std::string_view characters) { return characters.find(c) != characters.npos; }

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";

TEST_CASE("only ASCII letters and digits are letters and digits", "[ascii]") {
  CHECK(those_that(is_digit) == kDigits);
  CHECK(those_that(is_alpha) == std::string(kUpper) + std::string(kLower));
}

TEST_CASE("is_control is true for the control characters of ASCII", "[ascii]") {
  std::string controls;
  for (int i = 0; i < 0x20; ++i) controls += static_cast<char>(i);
  CHECK(those_that(is_control) == controls + '\x7f');
}

TEST_CASE("to_lower changes only upper-case ASCII letters", "[ascii]") {
  for (const char c : all_characters()) {
    const std::size_t upper = kUpper.find(c);
    CHECK(to_lower(c) == (upper == kUpper.npos ? c : kLower[upper]));
  }
  std::string text = "Content-LENGTH [\xc4]";
  make_lower(text);
  CHECK(text == "content-length [\xc4]");
}

TEST_CASE("hex_value is the value of a hexadecimal digit, and -1 for any other character", "[ascii]") {
  for (int value = 0; value < 16; ++value) {
    CHECK(hex_value(kLowerHex[value]) == value);
    CHECK(hex_value(kUpperHex[value]) == value);
  }
  CHECK(those_that([](char c) { return hex_value(c) >= 0; }) == "0123456789ABCDEFabcdef");
}

TEST_CASE("equals_ignoring_case ignores only the case of letters", "[ascii]") {
  CHECK(equals_ignoring_case("", ""));
  CHECK(equals_ignoring_case("Keep-Alive", "keep-alive"));
  CHECK_FALSE(equals_ignoring_case("close", "closed"));
  // Pairs that differ only in the bit that changes the case of a letter.
  CHECK_FALSE(equals_ignoring_case("@", "`"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("\xc4", "\xe4"));
}

TEST_CASE("token_equals agrees with equals_ignoring_case for every token character and place", "[ascii]") {
  const std::string longest = "x-forwarded-proto";
  CHECK(token_equals("X-Forwarded-Proto", longest));
  CHECK_FALSE(token_equals("X-Forwarded-Prot", longest));
  for (std::size_t size = 0; size <= longest.size(); ++size) {
    const std::string name = longest.substr(0, size);
    CHECK(token_equals(name, name));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : those_that(is_token_char)) {
        std::string token = name;
        token[at] = c;
        CHECK(token_equals(token, name) == equals_ignoring_case(token, name));
      }
    }
  }
}

TEST_CASE("trim removes spaces and tabs at both ends", "[ascii]") {
  CHECK(trim(" \t a b\t ") == "a b");
  CHECK(trim("\r\n") == "\r\n");
  CHECK(trim(" \t").empty());
}

TEST_CASE("a token has the characters of RFC 9110, and at least one", "[ascii]") {
  CHECK(those_that(is_token_char) ==
        those_that([](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); }));
  CHECK(is_token("GET"));
  CHECK_FALSE(is_token(""));
  CHECK_FALSE(is_token("a b"));
}

TEST_CASE("field text has no control character but the tab, at any position", "[ascii]") {
  CHECK(is_field_text(""));
  CHECK(is_field_text("text/html;\tcharset=\xff"));
  for (std::size_t at = 0; at < 20; ++at) {
    for (int i = 0; i < 256; ++i) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(i);
      CHECK(is_field_text(text) == (i == '\t' || (i >= 0x20 && i != 0x7f)));
    }
  }
}

TEST_CASE("host text has the characters of a name, an address and a port, without the comma", "[ascii]") {
  CHECK(is_host_text(""));
  CHECK(is_host_text("[::1%25eth0]:8080"));
  CHECK(those_that([](char c) { return is_host_text({&c, 1}); }) ==
        those_that([](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+;=%[]:"); }));
}

TEST_CASE("append_lower_hex writes two digits for each byte", "[ascii]") {
  std::string text = "x";
  append_lower_hex(text, std::string_view("\x00\x0f\xa5\xff", 4));
  CHECK(text == "x000fa5ff");
  const std::array<unsigned char, 2> bytes = {0x12, 0xfe};
  append_lower_hex(text, bytes);
  CHECK(text == "x000fa5ff12fe");
}

TEST_CASE("strip removes Python's blanks at both ends, and trim only spaces and tabs", "[ascii]") {
  CHECK(strip(" \t\r\n\f\va b\n ") == "a b");
  CHECK(strip(" \n") == "");
  CHECK(strip("") == "");
  CHECK(trim(" \t\na \t") == "\na");
}

}  // namespace
}  // namespace squall::ascii_test
