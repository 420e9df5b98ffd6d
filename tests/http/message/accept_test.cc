#include <squall/http/message/accept.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::accept_test {
namespace {

using Choose = std::optional<std::size_t> (*)(std::string_view, std::span<const std::string_view>);

// The chosen value, or `none`.
std::string chosen(Choose choose, std::string_view header, std::initializer_list<std::string_view> offered) {
  const std::vector<std::string_view> list(offered);
  const auto index = choose(header, list);
  return index ? std::string(list.at(*index)) : "none";
}

TEST_CASE("elements come by their quality, malformed ones not at all (RFC 9110, 12.4.2)", "[accept]") {
  const auto list = parse_preferences("a;q=0.5, b, c;x=\"1,;2\";q=0.501;ext=1, d;q=0, e;Q=1.000");
  const std::vector<Preference> expected = {
      {"b", "", 1000}, {"e", "", 1000}, {"c", "x=\"1,;2\"", 501}, {"a", "", 500}, {"d", "", 0}};
  CHECK(list == expected);
  for (const char* bad : {"a;q=", "a;q=x", "a;q=-1", "a;q=1.1", "a;q=2", "a;q=0.1234", "a;q=.5", "a;q=1e0",
                          "a b", ";q=1", "a/b/c", "\"a\"", "a;q=01", "a;q=1.001", "a;q"}) {
    INFO(bad);
    CHECK(parse_preferences(bad).empty());
  }
  CHECK(parse_preferences("").empty());
  CHECK(parse_preferences(",, a ,,").size() == 1);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a,";
  CHECK(parse_preferences(many).size() == 100);
}

TEST_CASE("the preferred media type is chosen, by the most specific range (RFC 9110, 12.5.1)", "[accept]") {
  const auto type = [](std::string_view header, std::initializer_list<std::string_view> offered) {
    return chosen(choose_type, header, offered);
  };
  CHECK(type("", {"text/html", "a/b"}) == "text/html");
  CHECK(type("application/json", {"text/html", "application/json"}) == "application/json");
  CHECK(type("text/*;q=0.5, */*;q=0.1", {"image/png", "text/plain"}) == "text/plain");
  CHECK(type("*/*", {"text/html", "application/json"}) == "text/html");
  CHECK(type("*", {"text/html"}) == "text/html");
  CHECK(type("text/html;q=0, */*", {"text/html", "a/b"}) == "a/b");
  CHECK(type("text/html;q=0, text/*", {"text/html"}) == "none");
  CHECK(type("image/png", {"text/html"}) == "none");
  CHECK(type("TEXT/HTML", {"text/html; charset=utf-8"}) == "text/html; charset=utf-8");
  CHECK(type("text", {"text/html"}) == "none");
  CHECK(type("te/*", {"text/html"}) == "none");
  CHECK(type("a/b", {}) == "none");
  // The table of the RFC.
  const std::string accept =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
  CHECK(type(accept, {"text/plain;format=fixed", "text/html"}) == "text/plain;format=fixed");
  CHECK(type(accept, {"text/html", "image/jpeg"}) == "image/jpeg");
  CHECK(type(accept, {"text/plain", "text/plain;format=flowed"}) == "text/plain;format=flowed");
  CHECK(type(accept, {"text/plain;format=fixed", "image/jpeg", "text/plain"}) == "text/plain");
}

TEST_CASE("the preferred coding is chosen, otherwise identity (RFC 9110, 12.5.3)", "[accept]") {
  const auto coding = [](std::string_view header) {
    return chosen(choose_encoding, header, {"br", "gzip", "identity"});
  };
  CHECK(coding("gzip, deflate, br") == "br");
  CHECK(coding("gzip;q=1.0, br;q=0.5") == "gzip");
  CHECK(coding("GZIP") == "gzip");
  CHECK(coding("x-gzip") == "gzip");
  CHECK(coding("*") == "br");
  CHECK(coding("br;q=0, *") == "gzip");
  CHECK(coding("") == "identity");
  CHECK(coding("deflate") == "identity");
  CHECK(coding("gzip;q=0") == "identity");
  CHECK(coding("identity") == "identity");
  CHECK(coding("identity;q=0.9, gzip;q=0.1") == "identity");
  CHECK(coding("identity;q=0") == "none");
  CHECK(coding("*;q=0") == "none");
  CHECK(coding("*;q=0, identity") == "identity");
  CHECK(coding("*;q=0, gzip;q=0.1") == "gzip");
  CHECK(coding("gzip;q=bad") == "identity");
  CHECK(chosen(choose_encoding, "br", {"gzip"}) == "none");
}

TEST_CASE("a language range accepts the languages that begin with it (RFC 4647, 3.3.1)", "[accept]") {
  const auto language = [](std::string_view header, std::initializer_list<std::string_view> offered) {
    return chosen(choose_language, header, offered);
  };
  CHECK(language("da, en-gb;q=0.8, en;q=0.7", {"en-US", "en-GB", "de"}) == "en-GB");
  CHECK(language("en", {"de", "en-US"}) == "en-US");
  CHECK(language("en-US", {"en"}) == "none");
  CHECK(language("e", {"en"}) == "none");
  CHECK(language("de;q=0, *", {"de-AT", "fr"}) == "fr");
  CHECK(language("fr;q=0.2, *;q=0.5", {"fr", "it"}) == "it");
  CHECK(language("", {"pt"}) == "pt");
}

}  // namespace
}  // namespace squall::http::accept_test
