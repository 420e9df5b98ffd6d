#include <squall/http/message/cookie_jar.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "support/catch.h"

namespace squall::http::cookie_jar_test {
namespace {

using namespace std::chrono_literals;

const CookieJar::Time kNow = std::chrono::system_clock::from_time_t(1700000000);

bool set(CookieJar& jar, const char* url, const std::string& cookie, CookieJar::Time now = kNow) {
  return jar.set(URL(url), cookie, now);
}
std::string get(CookieJar& jar, const char* url, CookieJar::Time now = kNow) {
  return jar.header(URL(url), now);
}

TEST_CASE("a cookie goes back to the host that set it, and to no other", "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "http://a.example.com/", "x=1"));
  CHECK(get(jar, "http://a.example.com/") == "x=1");
  CHECK(get(jar, "https://a.example.com:8443/deep/path") == "x=1");
  CHECK(get(jar, "http://A.EXAMPLE.COM/") == "x=1");
  for (const char* other :
       {"http://example.com/", "http://b.a.example.com/", "http://b.example.com/", "http://com/"})
    CHECK(get(jar, other).empty());
}

TEST_CASE("a cookie with a domain is sent to all its subdomains (RFC 6265, 5.1.3)", "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "http://a.example.com/", "x=1; Domain=.Example.com"));
  for (const char* within : {"http://example.com/", "http://a.example.com/", "http://b.c.example.com/"})
    CHECK(get(jar, within) == "x=1");
  for (const char* other : {"http://badexample.com/", "http://example.com.evil/", "http://example.org/"})
    CHECK(get(jar, other).empty());
  CHECK(set(jar, "http://example.net/", "y=1; Domain=example.net"));
  CHECK(get(jar, "http://sub.example.net/") == "y=1");
}

TEST_CASE("cookies for other domains, for single labels and for parts of addresses are refused",
          "[cookie_jar]") {
  CookieJar jar;
  for (const char* domain :
       {"com", ".com", "b.example.com", "a.a.example.com", "xample.com", "evil.com", "..", "com."})
    CHECK_FALSE(set(jar, "http://a.example.com/", std::string("x=1; Domain=") + domain));
  CHECK_FALSE(set(jar, "http://1.2.3.4/", "x=1; Domain=3.4"));
  CHECK_FALSE(set(jar, "http://a.example.com./", "x=1; Domain=com."));
  CHECK(jar.size() == 0);
  // A host may name itself as the domain.
  CHECK(set(jar, "http://localhost/", "x=1; Domain=localhost"));
  CHECK(get(jar, "http://localhost/") == "x=1");
  CHECK(get(jar, "http://a.localhost/").empty());
  CHECK(set(jar, "http://1.2.3.4/", "x=2; Domain=1.2.3.4"));
  CHECK(get(jar, "http://1.2.3.4/") == "x=2");
  CHECK(set(jar, "http://[::1]/", "x=3"));
  CHECK(get(jar, "http://[::1]:80/") == "x=3");
}

TEST_CASE("a cookie goes to its path and below (RFC 6265, 5.1.4)", "[cookie_jar]") {
  CHECK(path_matches("/a", "/a"));
  CHECK(path_matches("/a/b", "/a"));
  CHECK(path_matches("/a/b", "/a/"));
  CHECK_FALSE(path_matches("/ab", "/a"));
  CHECK_FALSE(path_matches("/a", "/a/"));
  CHECK_FALSE(path_matches("/", "/a"));
  CookieJar jar;
  CHECK(set(jar, "http://h.example/a/b/c", "default=1"));
  CHECK(get(jar, "http://h.example/a/b") == "default=1");
  CHECK(get(jar, "http://h.example/a/b/d?x") == "default=1");
  CHECK(get(jar, "http://h.example/a").empty());
  // Longer paths first, then the older one.
  CHECK(set(jar, "http://h.example/", "root=1"));
  CHECK(set(jar, "http://h.example/", "second=1"));
  CHECK(set(jar, "http://h.example/", "long=1; Path=/a/b/c"));
  CHECK(get(jar, "http://h.example/a/b/c") == "long=1; default=1; root=1; second=1");
}

TEST_CASE("a cookie replaces the one of its name, domain and path, in its place", "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "http://h.example/", "a=1"));
  CHECK(set(jar, "http://h.example/", "b=1"));
  CHECK(set(jar, "http://h.example/", "a=2", kNow + 1s));
  CHECK(get(jar, "http://h.example/") == "a=2; b=1");
  CHECK(jar.size() == 2);
  CHECK(set(jar, "http://h.example/", "a=3; Path=/p"));
  CHECK(jar.size() == 3);
  CHECK(get(jar, "http://h.example/p") == "a=3; a=2; b=1");
}

TEST_CASE("cookies expire, and one that has expired removes another", "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "http://h.example/", "a=1; Max-Age=10"));
  CHECK(set(jar, "http://h.example/", "b=1; Expires=Tue, 14 Nov 2023 22:13:25 GMT"));  // in 5 s
  CHECK(set(jar, "http://h.example/", "c=1; Max-Age=3; Expires=Fri, 31 Dec 9999 23:59:59 GMT"));
  CHECK(set(jar, "http://h.example/", "d=1"));
  CHECK(get(jar, "http://h.example/", kNow + 2s) == "a=1; b=1; c=1; d=1");
  CHECK(get(jar, "http://h.example/", kNow + 3s) == "a=1; b=1; d=1");
  CHECK(get(jar, "http://h.example/", kNow + 5s) == "a=1; d=1");
  CHECK(get(jar, "http://h.example/", kNow + 10s) == "d=1");
  CHECK(set(jar, "http://h.example/", "a=; Max-Age=0"));
  CHECK(set(jar, "http://h.example/", "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
  CHECK(jar.size() == 2);
  jar.clear_session();
  CHECK(jar.size() == 1);
  CHECK(jar.cookies()[0].name == "c");
  jar.clear();
  CHECK(jar.size() == 0);
  CHECK(get(jar, "http://h.example/").empty());
}

TEST_CASE("http neither reads nor replaces cookies that https has set (RFC 6265bis, 5.7)", "[cookie_jar]") {
  CookieJar jar;
  CHECK_FALSE(set(jar, "http://h.example/", "a=1; Secure"));
  CHECK(set(jar, "https://h.example/", "a=1; Secure; Path=/p"));
  CHECK(get(jar, "http://h.example/p").empty());
  CHECK(get(jar, "https://h.example/p") == "a=1");
  CHECK_FALSE(set(jar, "http://h.example/", "a=2; Path=/p"));
  CHECK_FALSE(set(jar, "http://h.example/", "a=2; Path=/p/q"));
  CHECK_FALSE(set(jar, "http://sub.h.example/", "a=2; Domain=h.example; Path=/p"));
  CHECK(set(jar, "http://h.example/", "a=3; Path=/"));
  CHECK(set(jar, "http://h.example/", "b=3; Path=/p"));
  CHECK(get(jar, "https://h.example/p") == "a=1; b=3; a=3");
}

TEST_CASE("prefixes are promises that the jar holds servers to", "[cookie_jar]") {
  CookieJar jar;
  CHECK_FALSE(set(jar, "https://h.example/", "__Secure-a=1"));
  CHECK(set(jar, "https://h.example/", "__Secure-a=1; Secure"));
  for (const char* bad : {"__Host-a=1", "__Host-a=1; Secure", "__Host-a=1; Secure; Path=/x",
                          "__host-a=1; Path=/", "__Host-a=1; Secure; Path=/; Domain=h.example"})
    CHECK_FALSE(set(jar, "https://h.example/", bad));
  CHECK(set(jar, "https://h.example/x", "__Host-a=1; Secure; Path=/"));
}

TEST_CASE("a full jar removes expired cookies, then the least recently used one", "[cookie_jar]") {
  CookieJar::Limits limits;
  limits.max_cookies = 4;
  limits.max_per_domain = 3;
  CookieJar jar(limits);
  CHECK(set(jar, "http://a.example/", "a=1"));
  CHECK(set(jar, "http://a.example/", "b=1; Path=/b", kNow + 1s));
  CHECK(set(jar, "http://a.example/", "c=1; Max-Age=1", kNow + 2s));
  CHECK(set(jar, "http://a.example/", "d=1; Path=/d", kNow + 4s));  // c has expired
  CHECK(get(jar, "http://a.example/", kNow + 5s) == "a=1");
  CHECK(set(jar, "http://a.example/", "e=1; Path=/e", kNow + 6s));  // b is the oldest, as a was used
  CHECK(get(jar, "http://a.example/b", kNow + 7s) == "a=1");
  CHECK(jar.size() == 3);
  CHECK(set(jar, "http://b.example/", "a=1", kNow + 8s));
  CHECK(set(jar, "http://c.example/", "a=1", kNow + 9s));  // d, of another domain
  CHECK(jar.size() == 4);
  CHECK(get(jar, "http://a.example/d", kNow + 10s) == "a=1");
  CHECK(get(jar, "http://a.example/e", kNow + 10s) == "e=1; a=1");
}

TEST_CASE("thousands of Set-Cookie headers leave no more than the limits", "[cookie_jar]") {
  CookieJar jar;
  for (int i = 0; i < 5000; ++i) {
    const URL url("http://h" + std::to_string(i % 100) + ".example/");
    CHECK(jar.set(url, "c" + std::to_string(i) + "=1", kNow + std::chrono::seconds(i)));
  }
  CHECK(jar.size() == 3000);
  const auto cookies = jar.cookies();
  CHECK(std::none_of(cookies.begin(), cookies.end(), [](const auto& c) { return c.number < 2000; }));
}

}  // namespace
}  // namespace squall::http::cookie_jar_test
