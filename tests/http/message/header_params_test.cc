#include <squall/http/message/header_params.h>

#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::header_params_test {
namespace {

std::string filename(std::string_view disposition) {
  const HeaderParams header = parse_header(disposition);
  const std::string* value = header.find("filename");
  return value == nullptr ? "none" : *value;
}

TEST_CASE("parameters are separated outside quotes, and their quotes go (HUT-70 to HUT-73)",
          "[header_params]") {
  CHECK(filename("form-data; name=\"a\"; filename=\"x;y.txt\"") == "x;y.txt");
  CHECK(filename("form-data; filename=\"x\\\"y.txt\"") == "x\"y.txt");
  CHECK(filename("form-data; filename*=UTF-8''%e2%82%ac.txt") == "\xE2\x82\xAC.txt");
  CHECK(filename("form-data; filename=\"C:\\\\x\\\\y\"") == "C:\\x\\y");
  CHECK(parse_header("Form-Data; NAME = \"a b\" ;x=y;") ==
        HeaderParams{"Form-Data", {{"name", "a b"}, {"x", "y"}}});
  CHECK(parse_header("text/html") == HeaderParams{"text/html", {}});
  CHECK(parse_header("").value.empty());
  CHECK(parse_header("a;;; b=1").params == HeaderParams::List{{"b", "1"}});
}

TEST_CASE("parameters without a value are kept, empty (HUT-74)", "[header_params]") {
  CHECK(parse_header("permessage-deflate; client_max_window_bits; server_no_context_takeover") ==
        HeaderParams{"permessage-deflate",
                     {{"client_max_window_bits", ""}, {"server_no_context_takeover", ""}}});
  CHECK(parse_header("a; b=; =c; d=\"\"").params == HeaderParams::List{{"b", ""}, {"d", ""}});
}

TEST_CASE("an extended value replaces the plain one, in either order (RFC 8187)", "[header_params]") {
  CHECK(filename("a; filename=\"plain\"; filename*=utf-8'en'%C3%A9") == "\xC3\xA9");
  CHECK(filename("a; filename*=utf-8'en'%C3%A9; filename=\"plain\"") == "\xC3\xA9");
  CHECK(filename("a; filename*=ISO-8859-1''%A3") == "\xC2\xA3");
  CHECK(filename("a; filename*=\"UTF-8''x%20y\"") == "x y");
  CHECK(parse_header("a; b=1; b*=UTF-8''2; c=3").params == HeaderParams::List{{"b", "2"}, {"c", "3"}});
  // A malformed extended value does not replace the plain one.
  for (const char* bad :
       {"UTF-8''%zz", "UTF-8''%e2%82", "UTF-8''%4", "UTF-8'x", "x", "", "koi8-r''x", "UTF-8''%ff"})
    CHECK(filename(std::string("a; filename=plain; filename*=") + bad) == "plain");
  // Continuations of RFC 2231 are not joined.
  CHECK(filename("a; filename*0=x; filename*1=y") == "none");
}

TEST_CASE("quotes that do not end take the rest", "[header_params]") {
  CHECK(parse_header("a; b=\"c; d=e").params == HeaderParams::List{{"b", "\"c; d=e"}});
  CHECK(parse_header("a; b=\"c\\").params == HeaderParams::List{{"b", "\"c\\"}});
  CHECK(parse_header("a; b=\"c\\\"").params == HeaderParams::List{{"b", "c\\"}});
  CHECK(parse_header("\"").value == "\"");
}

TEST_CASE("parse_header() reads the output of format_header()", "[header_params]") {
  using namespace std::string_literals;
  const HeaderParams::List params = {{"token", "abc"},
                                     {"quoted", "a; b, \"c\" \\ d=e"},
                                     {"flag", ""},
                                     {"text", "na\xC3\xAFve \xE2\x82\xAC'%\"s"}};
  const std::string text = format_header("attachment", params);
  CHECK(text ==
        "attachment; token=abc; quoted=\"a; b, \\\"c\\\" \\\\ d=e\"; flag; "
        "text*=UTF-8''na%C3%AFve%20%E2%82%AC%27%25%22s");
  CHECK(parse_header(text) == HeaderParams{"attachment", params});
  CHECK_THROWS_AS(format_header("a", {{"b c", "1"}}), std::invalid_argument);
  CHECK_THROWS_AS(format_header("a\r\nX: y", {}), std::invalid_argument);
  for (const std::string& bad : {"a\r\nb"s, "a\0b"s, "\x7f"s, "\xff"s})
    CHECK_THROWS_AS(format_header("a", {{"b", bad}}), std::invalid_argument);
}

TEST_CASE("a download's file name is sent in a form that every browser reads (RFC 6266)", "[header_params]") {
  CHECK(content_disposition("attachment", "report.pdf") == "attachment; filename=\"report.pdf\"");
  CHECK(content_disposition("attachment", "a b;c.txt") == "attachment; filename=\"a b;c.txt\"");
  CHECK(content_disposition("inline", "") == "inline");
  CHECK(content_disposition("attachment", "na\xC3\xAFve \xE2\x82\xAC.txt") ==
        "attachment; filename=\"na_ve _.txt\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt");
  CHECK(content_disposition("attachment", "100%\".txt") ==
        "attachment; filename=\"100__.txt\"; filename*=UTF-8''100%25%22.txt");
  for (const char* name : {"plain", "a\"b\\c", "\xE6\xB8\xAC.txt", "%41"})
    CHECK(filename(content_disposition("attachment", name)) == name);
  CHECK_THROWS_AS(content_disposition("attachment", "a\r\nb"), std::invalid_argument);
  CHECK_THROWS_AS(content_disposition("attachment", "\xff"), std::invalid_argument);
  CHECK_THROWS_AS(content_disposition("a b", "x"), std::invalid_argument);
}

TEST_CASE("a list's elements are separated by commas outside quotes (RFC 9110, 5.6.1)", "[header_params]") {
  std::string_view rest = " a , \"b, c\" ;d=\"\\\",\",, ,e";
  std::vector<std::string> elements;
  while (const auto element = next_list_element(rest)) elements.emplace_back(*element);
  CHECK(elements == std::vector<std::string>{"a", "\"b, c\" ;d=\"\\\",\"", "e"});
}

TEST_CASE("long headers take linear time (SEC-21)", "[header_params]") {
  // Quadratic time would be minutes.
  std::string quoted = "form-data; name=\"" + std::string(1'000'000, ';') + "\"";
  CHECK(parse_header(quoted).find("name")->size() == 1'000'000);
  std::string many = "a";
  for (int i = 0; i < 200'000; ++i) many += "; b=1; b*=UTF-8''2";
  CHECK(parse_header(many).params.size() == 200'000);
  CHECK(parse_header("a; b=\"" + std::string(1'000'000, '\\')).params.size() == 1);
}

}  // namespace
}  // namespace squall::http::header_params_test
