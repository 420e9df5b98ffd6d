#include <squall/http/message/form.h>

#include <string>

#include "support/catch.h"

namespace squall::http::form_test {
namespace {

const std::string kBody =
    "--1234\r\nContent-Disposition: form-data; name=\"files\"; filename=\"ab.txt\"\r\n\r\nFoo\r\n"
    "--1234\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
    "--1234\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n"
    "--1234--\r\n";

Headers typed(std::string_view type) {
  Headers headers;
  headers.add("Content-Type", type);
  return headers;
}

TEST_CASE("a multipart body has arguments and files, whose bodies are views into it (HUT-80)", "[form]") {
  for (const char* type : {"multipart/form-data; boundary=1234", "Multipart/Form-Data; boundary=\"1234\""}) {
    Form form;
    CHECK(parse_form(typed(type), kBody, form).empty());
    CHECK(form.arguments == QueryArguments{{"a", "1"}, {"a", ""}});
    REQUIRE(form.files.size() == 1);
    CHECK(form.files[0].name == "files");
    CHECK(form.files[0].filename == "ab.txt");
    CHECK(form.files[0].content_type == "application/unknown");
    CHECK(form.files[0].body == "Foo");
    CHECK(form.files[0].body.data() == kBody.data() + kBody.find("Foo"));
  }
}

TEST_CASE("an encoded form is its arguments; other bodies are left alone (HUT-60)", "[form]") {
  Form form;
  CHECK(parse_form(typed("application/x-www-form-urlencoded; charset=utf-8"), "a=1&b=x+y&a", form).empty());
  CHECK(form.arguments == QueryArguments{{"a", "1"}, {"b", "x y"}, {"a", ""}});
  CHECK(parse_form(typed("application/x-www-form-urlencoded"), "a&b&c", form, {}, 2) == "Too many arguments");
  CHECK(form.arguments.empty());
  for (const char* type : {"text/plain", "application/json", "multipart/mixed; boundary=1234", ""}) {
    CHECK(parse_form(typed(type), kBody, form).empty());
    CHECK(form.arguments.empty());
    CHECK(form.files.empty());
  }
  CHECK(parse_form(Headers(), kBody, form).empty());
}

TEST_CASE("a form with a Content-Encoding is refused, another body is not (HUT-61, SEC-26)", "[form]") {
  Form form;
  for (const char* type : {"multipart/form-data; boundary=1234", "application/x-www-form-urlencoded"}) {
    Headers headers = typed(type);
    headers.add("Content-Encoding", "gzip");
    CHECK(parse_form(headers, kBody, form) == "Unsupported Content-Encoding: gzip");
  }
  Headers headers = typed("text/plain");
  headers.add("Content-Encoding", "gzip");
  CHECK(parse_form(headers, kBody, form).empty());
}

TEST_CASE("a malformed multipart body is one error, and leaves nothing (HUT-62, SEC-20)", "[form]") {
  Form form;
  const auto error = [&form](std::string_view type, std::string_view body) {
    const std::string text = parse_form(typed(type), body, form);
    CHECK(form.arguments.empty());
    CHECK(form.files.empty());
    return text;
  };
  CHECK(error("multipart/form-dataxyz; boundary=1234", kBody) ==
        "Invalid multipart/form-data: Invalid content type");
  CHECK(error("multipart/form-data", kBody) == "Invalid multipart/form-data: multipart boundary not found");
  CHECK(error("multipart/form-data; boundary=1234", kBody.substr(0, kBody.size() - 4)) ==
        "Invalid multipart/form-data: no final boundary found");
  CHECK(error("multipart/form-data; boundary=1234", "x" + kBody) ==
        "Invalid multipart/form-data: multipart/form-data missing headers");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "--1234\r\nbad\r\n\r\n\r\n";
  CHECK(error("multipart/form-data; boundary=1234", many + "--1234--") ==
        "Invalid multipart/form-data: Invalid part header");
  MultipartLimits limits;
  limits.enabled = false;
  CHECK(parse_form(typed("multipart/form-data; boundary=1234"), kBody, form, limits) ==
        "Invalid multipart/form-data: multipart/form-data parsing is disabled");
}

}  // namespace
}  // namespace squall::http::form_test
