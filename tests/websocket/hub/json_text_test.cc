#include <squall/websocket/hub/json_text.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::websocket::json_text_test {
namespace {

TEST_CASE("only one whole JSON value is JSON (RFC 8259)", "[json_text]") {
  for (const std::string_view text : {
           R"({})",
           R"([])",
           " 1 ",
           "\t\n\r null \n",
           "true",
           "false",
           R"("")",
           R"([[],{},[{}]])",
           R"({"a":1,"b":[1,2,{"c":null}],"":""})",
           R"( { "a" : [ 1 , 2 ] , "b" : { } } )",
           "0",
           "-0",
           "-12.50e+3",
           "1E9",
           "1e-07",
           "0.1",
           "123456789012345678901234567890",
           R"("\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00")",
           "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
       }) {
    CAPTURE(text);
    CHECK(is_json(text));
  }
  for (const std::string_view text : {
           "",
           " ",
           "{",
           "}",
           "[",
           "]",
           "[}",
           "{]",
           "[1",
           "[1,",
           "[1,]",
           "[,1]",
           "[1 2]",
           "[]]",
           "{}}",
           "1 2",
           R"({"a"})",
           R"({"a":})",
           R"({"a":1,})",
           R"({,})",
           R"({"a" 1})",
           R"({1:2})",
           R"({"a":1 "b":2})",
           R"("x"},{"y":1)",
           R"({"a":1]})",
           "-",
           "+1",
           "01",
           "-01",
           "1.",
           ".5",
           "1.e3",
           "1e",
           "1e+",
           "0x1",
           "1-",
           "NaN",
           "Infinity",
           "-true",
           "-null",
           "-\"\"",
           "tru",
           "True",
           "nulls",
           "nul",
           R"(")",
           R"("a)",
           R"('a')",
           R"("\)",
           R"("\x")",
           R"("\u12")",
           R"("\u12g4")",
           R"("\u123)",
           "\"\n\"",
           "\"\t\"",
           "\"\xc3\"",
           "\"\xff\"",
           "\"\xed\xa0\x80\"",
           "\xef\xbb\xbf{}",
           "// 1",
           "[1]//",
       }) {
    CAPTURE(text);
    CHECK_FALSE(is_json(text));
  }
  CHECK_FALSE(is_json(std::string_view("\"\0\"", 3)));
  CHECK_FALSE(is_json(std::string_view("1\0", 2)));
}

TEST_CASE("no beginning of a JSON object is JSON", "[json_text]") {
  const std::string text = R"({"a":[1,-2.5e3,"\u00e9x",true,{}],"b":null})";
  REQUIRE(is_json(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_json(std::string_view(text).substr(0, size)));
  }
}

TEST_CASE("a JSON text may be as deep as it is long", "[json_text]") {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string opened(kDepth, '[');
  CHECK(is_json(opened + std::string(kDepth, ']')));
  CHECK_FALSE(is_json(opened));
  CHECK_FALSE(is_json(opened + std::string(kDepth - 1, ']')));
}

TEST_CASE("a text becomes a JSON string", "[json_text]") {
  CHECK(json_string("") == R"("")");
  CHECK(json_string("a.b/\xc3\xa9\xf0\x9f\x98\x80\x7f") == "\"a.b/\xc3\xa9\xf0\x9f\x98\x80\x7f\"");
  CHECK(json_string("say \"x\\y\"") == R"("say \"x\\y\"")");
  CHECK(json_string("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(json_string(std::string_view("\0\x1f", 2)) == R"("\u0000\u001f")");
  CHECK(json_string("a\xff"
                    "b\xc3") ==
        "\"a\xef\xbf\xbd"
        "b\xef\xbf\xbd\"");
}

TEST_CASE("the JSON string of any two bytes is JSON", "[json_text]") {
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second)
      if (!is_json(json_string(std::string{static_cast<char>(first), static_cast<char>(second)})))
        FAIL(first << ' ' << second);
}

}  // namespace
}  // namespace squall::websocket::json_text_test
