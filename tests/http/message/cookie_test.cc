#include <squall/http/message/cookie.h>

#include <chrono>
#include <string>

#include "support/catch.h"

namespace squall::http::cookie_test {
namespace {

using std::chrono::system_clock;

SetCookie named(std::string name, std::string value) {
  SetCookie cookie;
  cookie.name = std::move(name);
  cookie.value = std::move(value);
  return cookie;
}

TEST_CASE("cookies are read as browsers write them (HUT-90, SEC-40)", "[cookie]") {
  CHECK(parse_cookies("a=b; c=d") == QueryArguments{{"a", "b"}, {"c", "d"}});
  CHECK(parse_cookies("a=b;c;d=e") == QueryArguments{{"a", "b"}, {"", "c"}, {"d", "e"}});
  CHECK(parse_cookies("a=\"b\\\"c\\054\"; x= y ") == QueryArguments{{"a", "b\"c,"}, {"x", "y"}});
  CHECK(parse_cookies("a=b; a=c") == QueryArguments{{"a", "c"}});
  CHECK(parse_cookies("foo=\"bar") == QueryArguments{{"foo", "\"bar"}});
  CHECK(parse_cookies("a=b=c;d=[1]") == QueryArguments{{"a", "b=c"}, {"d", "[1]"}});
  CHECK(parse_cookies("") == QueryArguments());
  CHECK(parse_cookies(" ; =;;") == QueryArguments());
  CHECK(parse_cookies("a=1; b=2; A=3; a=4; b=5") == QueryArguments{{"A", "3"}, {"a", "4"}, {"b", "5"}});
  // For browsers a quoted semicolon ends a cookie, so no cookie can hide behind it.
  CHECK(parse_cookies("x=\"; _xsrf=1; y=\"") == QueryArguments{{"x", "\""}, {"_xsrf", "1"}, {"y", "\""}});
}

TEST_CASE("more cookies than the limit are refused", "[cookie]") {
  CHECK(parse_cookies("a=1;b=2", 2));
  CHECK_FALSE(parse_cookies("a=1;b=2;c=3", 2));
  CHECK(parse_cookies(";;;a=1;;;b=2;;;", 2));
}

TEST_CASE("quoted values are unquoted, in linear time (HUT-91, SEC-41)", "[cookie]") {
  CHECK(unquote_cookie("\"a\\\"b\\\\c\\054\\073\\377\"") == "a\"b\\c,;\xC3\xBF");
  CHECK(unquote_cookie("\"\"") == "");
  CHECK(unquote_cookie("\"") == "\"");
  CHECK(unquote_cookie("plain\\054") == "plain\\054");
  CHECK(unquote_cookie("\"\\400\\08\\\"") == "40008\\");
  CHECK(unquote_cookie("\"" + std::string(60'000, '\\') + "\"").size() == 30'000);
  CHECK(unquote_cookie("\"" + std::string(6'000'000, '\\') + "\"").size() == 3'000'000);
}

TEST_CASE("cookie names are tokens, with the colon (HUT-38, WEB-84)", "[cookie]") {
  CHECK(is_cookie_name("a!#$%&'*+-.^_`|~:9"));
  for (const char* bad : {"", "a b", "a=b", "a;b", "a\"", "\xE9", "a,b", "[1]"})
    CHECK_FALSE(is_cookie_name(bad));
}

TEST_CASE("cookies are set with their attributes in order (WEB-80 to WEB-85)", "[cookie]") {
  CHECK(format_set_cookie(named("q", "x\"y;z,w")) == "q=\"x\\\"y\\073z\\054w\"; Path=/");
  SetCookie all = named("exp", "v");
  all.expires = system_clock::from_time_t(1700000000);
  all.domain = "example.com";
  all.path = "/p";
  all.http_only = true;
  all.secure = true;
  all.same_site = SameSite::lax;
  all.max_age = std::chrono::seconds(60);
  CHECK(format_set_cookie(all) ==
        "exp=v; Domain=example.com; expires=Tue, 14 Nov 2023 22:13:20 GMT; HttpOnly; Max-Age=60; Path=/p; "
        "SameSite=Lax; Secure");
  all.partitioned = true;
  all.same_site = SameSite::none;
  CHECK(format_set_cookie(all).ends_with("; Max-Age=60; Partitioned; Path=/p; SameSite=None; Secure"));
  SetCookie no_path = named("np", "v");
  no_path.path.clear();
  CHECK(format_set_cookie(no_path) == "np=v");
  CHECK(format_set_cookie(named("e", "\xC3\xA9")) == "e=\"\\351\"; Path=/");
  CHECK(format_set_cookie(named("e", "a:b|c")) == "e=a:b|c; Path=/");
  CHECK(format_set_cookie(named("e", "a/b=")) == "e=\"a/b=\"; Path=/");
  SetCookie strict = named("s", "1");
  strict.same_site = SameSite::strict;
  CHECK(format_set_cookie(strict) == "s=1; Path=/; SameSite=Strict");
}

TEST_CASE("a cookie is taken away by an old date (WEB-86)", "[cookie]") {
  SetCookie gone = named("gone", "x");
  gone.max_age = std::chrono::seconds(5);
  CHECK(format_clear_cookie(gone, system_clock::from_time_t(1700000000)) ==
        "gone=\"\"; expires=Mon, 14 Nov 2022 22:13:20 GMT; Path=/");
}

TEST_CASE("characters that could forge a cookie or an attribute are refused (WEB-81, WEB-82, SEC-33, SEC-34)",
          "[cookie]") {
  using namespace std::string_literals;
  for (const std::string& value : {"a b"s, "a\r\nb"s, "\t"s, "a\0"s, "\xE2\x82\xAC"s, "\xff"s, "\xC3"s}) {
    INFO(value);
    CHECK_THROWS_AS(format_set_cookie(named("a", value)), CookieError);
  }
  for (const std::string& name : {""s, "a b"s, "a;b"s, "a=b"s, "a\r"s, "\xE9"s})
    CHECK_THROWS_AS(format_set_cookie(named(name, "v")), CookieError);
  for (const std::string& bad : {"/; HttpOnly"s, "/\r\nX: y"s, "/\0"s, "/\x7f"s, "/a b"s}) {
    SetCookie cookie = named("a", "v");
    cookie.path = bad;
    CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
    cookie.path = "/";
    cookie.domain = bad;
    CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
  }
}

TEST_CASE("cookies that no browser would keep are refused (RFC 6265bis, SEC-48)", "[cookie]") {
  SetCookie cookie = named("__Host-a", "1");
  CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
  cookie.secure = true;
  CHECK(format_set_cookie(cookie) == "__Host-a=1; Path=/; Secure");
  cookie.path = "/p";
  CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
  cookie.path = "/";
  cookie.domain = "example.com";
  CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
  cookie.name = "__secure-a";
  CHECK_NOTHROW(format_set_cookie(cookie));
  cookie.secure = false;
  CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
  cookie = named("a", "1");
  cookie.same_site = SameSite::none;
  CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
  cookie.same_site = SameSite::lax;
  cookie.partitioned = true;
  CHECK_THROWS_AS(format_set_cookie(cookie), CookieError);
}

TEST_CASE("parse_set_cookie() reads the output of format_set_cookie(), with the quotes kept", "[cookie]") {
  SetCookie cookie = named("a", "x\"y;z,\\w\xC3\xBF");
  cookie.expires = system_clock::from_time_t(1700000000);
  cookie.domain = "example.com";
  cookie.path = "/p";
  cookie.http_only = cookie.secure = cookie.partitioned = true;
  cookie.same_site = SameSite::none;
  cookie.max_age = std::chrono::seconds(0);
  std::optional<SetCookie> parsed = parse_set_cookie(format_set_cookie(cookie));
  REQUIRE(parsed);
  parsed->value = unquote_cookie(parsed->value);
  CHECK(*parsed == cookie);
}

TEST_CASE("Set-Cookie is read as RFC 6265, 5.2, has it", "[cookie]") {
  const auto parse = [](std::string_view text) { return parse_set_cookie(text).value(); };
  const SetCookie plain = parse(" a = \"b c\" ");
  CHECK(plain.name == "a");
  CHECK(plain.value == "\"b c\"");
  CHECK(plain.path.empty());
  CHECK(plain.domain.empty());
  CHECK_FALSE(plain.expires);
  CHECK_FALSE(plain.max_age);
  CHECK(parse("a=b=c").value == "b=c");
  CHECK(parse("a=").value.empty());
  const SetCookie all = parse(
      "a=b; DOMAIN=.Example.COM; path=/x ; SECURE=no; httponly; SameSite=STRICT; Max-Age=-1; "
      "Expires=Tue, 14 Nov 2023 22:13:20 GMT;;; Unknown=1");
  CHECK(all.domain == "example.com");
  CHECK(all.path == "/x");
  CHECK(all.secure);
  CHECK(all.http_only);
  CHECK(all.same_site == SameSite::strict);
  CHECK(all.max_age == std::chrono::seconds(-1));
  CHECK(all.expires == system_clock::from_time_t(1700000000));
  // The last of a repeated attribute counts; malformed ones are ignored.
  CHECK(parse("a=b; Path=/x; Path=/y").path == "/y");
  CHECK(parse("a=b; Path=/x; Path=y").path.empty());
  CHECK(parse("a=b; Max-Age=5; Max-Age=x").max_age == std::chrono::seconds(5));
  CHECK(parse("a=b; Max-Age=99999999999999999999999").max_age > std::chrono::hours(24 * 365 * 99));
  for (const char* age : {"", "-", "+5", "5s", " "})
    CHECK_FALSE(parse(std::string("a=b; Max-Age=") + age).max_age);
  CHECK(parse("a=b; SameSite=other").same_site == SameSite::unset);
  CHECK(parse("a=b; Path=/" + std::string(1024, 'x')).path.empty());
}

TEST_CASE("a Set-Cookie without a name, with control characters or too large is ignored", "[cookie]") {
  using namespace std::string_literals;
  for (const std::string& bad :
       {""s, "a"s, "=b"s, " =b"s, "; a=b"s, "a=b\0"s, "a=b\x7f"s, "a=\rb"s, "a=b; Path=/\n"s}) {
    INFO(bad);
    CHECK_FALSE(parse_set_cookie(bad));
  }
  CHECK(parse_set_cookie("a=" + std::string(4095, 'x')));
  CHECK_FALSE(parse_set_cookie("a=" + std::string(4096, 'x')));
}

TEST_CASE("cookies' dates are read by their own rules (RFC 6265, 5.1.1)", "[cookie]") {
  const auto when = [](std::string_view text) {
    const auto date = parse_cookie_date(text);
    return date ? static_cast<long long>(system_clock::to_time_t(*date)) : -1;
  };
  for (const char* text : {"Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14-Nov-2023 22:13:20 GMT",
                           "Tue, 14-Nov-23 22:13:20 GMT", "tue nov 14 22:13:20 2023",
                           "14 November 2023 22:13:20", "22:13:20 2023 14nd nov", "2023 nov 14 22:13:20x"}) {
    INFO(text);
    CHECK(when(text) == 1700000000);
  }
  CHECK(when("Thu, 01-Jan-70 00:00:00 GMT") == 0);
  CHECK(when("01 Jan 69 00:00:00") == 3124224000);
  CHECK(when("01 Jan 1601 00:00:00") < -1);
  // Later than the clock's range, but not the value of a session cookie.
  const auto far = parse_cookie_date("Fri, 31 Dec 9999 23:59:59 GMT");
  REQUIRE(far);
  CHECK(*far > system_clock::time_point::max() - std::chrono::seconds(1));
  CHECK(*far < system_clock::time_point::max());
  for (const char* bad :
       {"", "0", "Tue, 14 Nov 2023", "14 Nov 22:13:20", "Nov 2023 22:13:20", "14 2023 22:13:20",
        "31 Feb 2023 00:00:00", "14 Nov 2023 24:00:00", "14 Nov 2023 00:60:00", "14 Nov 2023 00:00:60",
        "14 Nov 1600 00:00:00", "14 Nov 2023 000:00:00", "14 Nov 12345 00:00:00", "32 Nov 2023 00:00:00",
        "114 Nov 2023 00:00:00"}) {
    INFO(bad);
    CHECK_FALSE(parse_cookie_date(bad));
  }
}

TEST_CASE("many cookies, quotes and attributes take linear time", "[cookie]") {
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "a" + std::to_string(i % 1000) + "=1;";
  CHECK(parse_cookies(many, 1'000'000)->size() == 1000);
  CHECK(parse_set_cookie("a=b;" + std::string(2'000'000, ';') + std::string(2'000'000, '=')));
}

}  // namespace
}  // namespace squall::http::cookie_test
