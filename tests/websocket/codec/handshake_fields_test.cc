#include <squall/websocket/codec/handshake_fields.h>

#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::websocket::handshake_fields_test {
namespace {

// `name;param=value,name`, or `malformed`.
std::string extensions(std::string_view field) {
  const auto parsed = parse_extensions(field);
  if (!parsed) return "malformed";
  std::string text;
  for (const Extension& extension : *parsed) {
    text.append(text.empty() ? "" : ",").append(extension.name);
    for (const ExtensionParam& param : extension.params) {
      text.append(";").append(param.name);
      if (param.value) text.append("=").append(*param.value);
    }
  }
  return text;
}

std::string subprotocols(std::string_view field) {
  const auto parsed = parse_subprotocols(field);
  if (!parsed) return "malformed";
  std::string text;
  for (const std::string_view protocol : *parsed) text.append(text.empty() ? "" : "|").append(protocol);
  return text;
}

TEST_CASE("the accept value is that of RFC 6455, 1.3 (WSK-12)", "[handshake_fields]") {
  CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(accept_key("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

TEST_CASE("a key is 16 bytes in base64 (RFC 6455, 4.1)", "[handshake_fields]") {
  CHECK(is_handshake_key("dGhlIHNhbXBsZSBub25jZQ=="));
  CHECK(is_handshake_key("AAAAAAAAAAAAAAAAAAAA+/=="));
  for (const char* const bad :
       {"", "==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ=== ",
        "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZ===", " GhlIHNhbXBsZSBub25jZQ==",
        "dGhl-HNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAAAA=="}) {
    CAPTURE(bad);
    CHECK_FALSE(is_handshake_key(bad));
  }
}

TEST_CASE("each new key is another one (WSK-81)", "[handshake_fields]") {
  const std::string key = make_handshake_key();
  CHECK(is_handshake_key(key));
  CHECK(make_handshake_key() != key);
}

TEST_CASE("the versions 7, 8 and 13 are accepted (WSK-04)", "[handshake_fields]") {
  for (const char* const good : {"7", "8", "13"}) CHECK(is_supported_version(good));
  for (const char* const bad : {"", "0", "6", "9", "12", "14", "013", "13 ", "13, 8", "1"})
    CHECK_FALSE(is_supported_version(bad));
  CHECK(kSupportedVersions == "7, 8, 13");
}

TEST_CASE("subprotocols are tokens in their order (RFC 6455, 11.3.4)", "[handshake_fields]") {
  CHECK(subprotocols("").empty());
  CHECK(subprotocols("chat") == "chat");
  CHECK(subprotocols("chat,superchat ,\tv2.x") == "chat|superchat|v2.x");
  CHECK(subprotocols(" , chat,, ") == "chat");
  for (const char* const bad : {"a b", "a;b", "\"a\"", "a, b/c", "a=1", "\xc3\xa9", "a,\x01"}) {
    CAPTURE(bad);
    CHECK(subprotocols(bad) == "malformed");
  }
}

TEST_CASE("extensions have names, parameters and values, in quotes or not (RFC 6455, 9.1)",
          "[handshake_fields]") {
  CHECK(extensions("").empty());
  CHECK(extensions("foo") == "foo");
  CHECK(extensions("foo, bar; baz=2") == "foo,bar;baz=2");
  CHECK(extensions("foo;a;b=\"10\" ; c = \"x\\y\"\t,, bar,") == "foo;a;b=10;c=xy,bar");
  CHECK(extensions("permessage-deflate; client_max_window_bits; server_max_window_bits=10") ==
        "permessage-deflate;client_max_window_bits;server_max_window_bits=10");
  CHECK(parse_extensions("a; b")->at(0).params.at(0) == ExtensionParam{"b"});
  CHECK(parse_extensions("a; b=c")->at(0) == Extension{"a", {{"b", "c"}}});
}

TEST_CASE("a malformed extension makes the whole field malformed (RFC 6455, 9.1; WSK-06)",
          "[handshake_fields]") {
  for (const char* const bad : {"foo;",          "foo; ",         "foo;;a",        ";a",
                                "foo;a=",        "foo;=b",        "foo;a=b=c",     "foo;a b",
                                "foo bar",       "foo=1",         "foo;a=b c",     "foo;a=\"\"",
                                "foo;a=\"b",     "foo;a=b\"",     "foo;a=\"b\"c",  "foo;a=\"b\\\"",
                                "foo;a=\"b c\"", "foo;a=\"b,c\"", "foo;a=\"b;c\"", "foo;a=\"",
                                "foo;\"a\"",     "\"foo\"",       "foo, bar;a=(",  "foo;a=\xc3\xa9",
                                "foo;\x7f"}) {
    CAPTURE(bad);
    CHECK(extensions(bad) == "malformed");
    CHECK(extensions("good," + std::string(bad)) == "malformed");
    CHECK(extensions(std::string(bad) + ", good") == "malformed");
  }
}

TEST_CASE("a field of many extensions is refused before it takes memory", "[handshake_fields]") {
  const auto repeated = [](std::string_view text, std::size_t count) {
    std::string field;
    for (std::size_t i = 0; i < count; ++i) field += text;
    return field;
  };
  CHECK(parse_extensions(repeated("a,", kMaxExtensionParts))->size() == kMaxExtensionParts);
  CHECK(extensions(repeated("a,", kMaxExtensionParts + 1)) == "malformed");
  CHECK(parse_extensions("a" + repeated(";b", kMaxExtensionParts - 1))->at(0).params.size() ==
        kMaxExtensionParts - 1);
  CHECK(extensions("a" + repeated(";b", kMaxExtensionParts)) == "malformed");
}

}  // namespace
}  // namespace squall::websocket::handshake_fields_test
