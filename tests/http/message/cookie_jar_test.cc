#include <squall/http/message/cookie_jar.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

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
  // Longer paths first, then older cookies.
  CHECK(set(jar, "http://h.example/", "root=1"));
  CHECK(set(jar, "http://h.example/", "second=1"));
  CHECK(set(jar, "http://h.example/", "long=1; Path=/a/b/c"));
  CHECK(get(jar, "http://h.example/a/b/c") == "long=1; default=1; root=1; second=1");
}

TEST_CASE("a cookie replaces the cookie of the same name, domain and path, at the same place",
          "[cookie_jar]") {
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

TEST_CASE("cookies expire, and an expired cookie removes the same cookie", "[cookie_jar]") {
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

TEST_CASE("the rules of the prefixes __Secure- and __Host- are enforced", "[cookie_jar]") {
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

// ---- Secure cookies in a full jar.

std::string numbered(int i) { return "c" + std::to_string(i); }

TEST_CASE("junk cookies over http do not remove a Secure cookie, and cannot take its name (RFC 6265bis, 5.7)",
          "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "https://h.example/", "session=good; Secure"));
  for (int i = 0; i < 60; ++i)
    CHECK(set(jar, "http://h.example/", numbered(i) + "=junk", kNow + std::chrono::seconds(1 + i)));
  CHECK(jar.size() == 50);
  CHECK_FALSE(set(jar, "http://h.example/", "session=evil", kNow + 100s));
  const std::string sent = get(jar, "https://h.example/", kNow + 101s);
  CHECK(sent.starts_with("session=good; "));
  CHECK(sent.find("evil") == sent.npos);
}

TEST_CASE("junk cookies over http for many hosts do not remove a Secure cookie from a full jar",
          "[cookie_jar]") {
  CookieJar::Limits limits;
  limits.max_cookies = 20;
  CookieJar jar(limits);
  CHECK(set(jar, "https://h.example/", "session=good; Secure"));
  for (int i = 0; i < 60; ++i)
    CHECK(jar.set(URL("http://" + numbered(i) + ".example/"), "junk=1", kNow + std::chrono::seconds(1 + i)));
  CHECK(jar.size() == 20);
  CHECK(get(jar, "https://h.example/", kNow + 100s) == "session=good");
}

TEST_CASE("a jar or domain full of Secure cookies refuses a cookie of http, and takes one of https",
          "[cookie_jar]") {
  CookieJar::Limits limits;
  limits.max_cookies = 4;
  limits.max_per_domain = 3;
  CookieJar jar(limits);
  for (int i = 0; i < 3; ++i)
    CHECK(set(jar, "https://h.example/", numbered(i) + "=1; Secure", kNow + std::chrono::seconds(i)));
  CHECK_FALSE(set(jar, "http://h.example/", "junk=1", kNow + 5s));
  CHECK(set(jar, "https://other.example/", "x=1; Secure", kNow + 6s));
  CHECK_FALSE(set(jar, "http://third.example/", "junk=1", kNow + 7s));
  CHECK(jar.size() == 4);
  CHECK(get(jar, "http://third.example/", kNow + 8s).empty());
  // The least recently used Secure cookies make room for cookies of https.
  CHECK(set(jar, "https://h.example/", "plain=1", kNow + 9s));
  CHECK(get(jar, "https://h.example/", kNow + 10s) == "c1=1; c2=1; plain=1");
  // The cookie that is not Secure is removed before older ones that are.
  CHECK(set(jar, "https://h.example/", "c3=1; Secure", kNow + 11s));
  CHECK(get(jar, "https://h.example/", kNow + 12s) == "c1=1; c2=1; c3=1");
}

TEST_CASE("expired cookies are removed before cookies that are not Secure", "[cookie_jar]") {
  CookieJar::Limits limits;
  limits.max_per_domain = 3;
  CookieJar jar(limits);
  CHECK(set(jar, "http://h.example/", "old=1"));
  CHECK(set(jar, "https://h.example/", "secure=1; Secure; Max-Age=5", kNow + 1s));
  CHECK(set(jar, "http://h.example/", "short=1; Max-Age=5", kNow + 2s));
  CHECK_FALSE(set(jar, "http://h.example/", "secure=2", kNow + 3s));
  CHECK(set(jar, "http://h.example/", "new=1", kNow + 10s));
  CHECK(get(jar, "https://h.example/", kNow + 11s) == "old=1; new=1");
  // An expired Secure cookie protects its name no more.
  CHECK(set(jar, "http://h.example/", "secure=3", kNow + 12s));
}

TEST_CASE("http cannot shadow a Secure cookie of a parent domain, a subdomain or a shorter path",
          "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "https://b.example.test/", "a=1; Secure; Path=/p"));
  CHECK(set(jar, "https://b.example.test/", "d=1; Secure; Domain=example.test; Path=/p/"));
  for (const char* shadow : {"a=2; Path=/p", "a=2; Path=/p/", "a=2; Path=/p/q/r",
                             "a=2; Path=/p; Domain=example.test", "d=2; Path=/p/", "d=2; Path=/p/q"})
    CHECK_FALSE(set(jar, "http://b.example.test/", shadow));
  CHECK_FALSE(set(jar, "http://example.test/", "a=2; Path=/p"));
  CHECK_FALSE(set(jar, "http://c.b.example.test/", "a=2; Path=/p"));
  CHECK_FALSE(set(jar, "http://c.example.test/", "d=2; Path=/p/q"));
  for (const char* other : {"a=3; Path=/", "a=3; Path=/pq", "d=3; Path=/p", "aa=3; Path=/p", "A=3; Path=/p"})
    CHECK(set(jar, "http://b.example.test/", other));
  CHECK(set(jar, "http://c.example.test/", "a=3; Path=/p"));
  CHECK(set(jar, "http://ab.example.test/", "a=3; Path=/p"));
  CHECK(set(jar, "http://badexample.test/", "d=3; Path=/p/"));
  CHECK(set(jar, "http://test/", "x=3"));
  CHECK(set(jar, "https://1.2.3.4/", "a=1; Secure"));
  CHECK(set(jar, "http://1.2.3.44/", "a=2"));
  CHECK_FALSE(set(jar, "http://1.2.3.4/", "a=2"));
}

TEST_CASE("http is refused a cookie exactly when a scan finds a Secure one that it would shadow",
          "[cookie_jar]") {
  const char* const hosts[] = {"t", "a.t", "b.a.t", "c.b.a.t", "a-a.t", "xa.t", "b.t", "1.2.3.4"};
  const char* const paths[] = {"/", "/p", "/p/", "/p/q", "/p/q/", "/pq", "/p//q", "//", "/q"};
  CookieJar jar;
  std::uint32_t random = 1;
  const auto pick = [&random](const auto& from) {
    random = random * 1664525 + 1013904223;
    return std::string(from[(random >> 16) % std::size(from)]);
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string name = i % 3 == 0 ? "n" : "m";
    const std::string host = pick(hosts);
    const std::string path = pick(paths);
    if (i % 20 == 0) {
      CHECK(jar.set(URL("https://" + host + "/"), name + "=1; Secure; Max-Age=60; Path=" + path,
                    kNow + std::chrono::seconds(i)));
      continue;
    }
    const CookieJar::Time now = kNow + std::chrono::seconds(i);
    bool hides = false;
    for (const CookieJar::Cookie& other : jar.cookies())
      hides |= other.secure && other.expires > now && other.name == name &&
               (domain_matches(host, other.domain) || domain_matches(other.domain, host)) &&
               path_matches(path, other.path);
    CAPTURE(name, host, path);
    CHECK(jar.set(URL("http://" + host + "/"), name + "=2; Path=" + path, now) != hides);
  }
}

TEST_CASE("copies and moved jars have their own cookies", "[cookie_jar]") {
  CookieJar jar;
  CHECK(set(jar, "https://h.example/", "a=1; Secure"));
  CHECK(set(jar, "http://h.example/", "b=1; Max-Age=5"));
  CookieJar copy(jar);
  jar.clear();
  CHECK(get(copy, "https://h.example/") == "a=1; b=1");
  CHECK_FALSE(set(copy, "http://h.example/", "a=2"));
  jar = copy;
  CHECK(set(copy, "https://h.example/", "a=; Max-Age=0"));
  CookieJar moved(std::move(jar));
  CHECK(get(moved, "https://h.example/", kNow + 6s) == "a=1");
  copy = std::move(moved);
  CHECK(set(copy, "http://h.example/", "c=1", kNow + 6s));
  CHECK(copy.size() == 2);
}

// ---- The work of a call (CookieJar::visited()).

TEST_CASE("64 KB of Set-Cookie headers for a full jar cost a few visits a cookie", "[cookie_jar]") {
  // Full of cookies that are insecure, Secure, of one Secure name in many paths, or about to expire.
  for (const char* attributes : {"", "; Secure", "; Secure; Path=/", "; Max-Age=100"}) {
    CookieJar jar;
    const bool same_name = std::string_view(attributes).ends_with("Path=/");
    for (int i = 0; i < 3000; ++i) {
      const URL url("https://h" + std::to_string(i / 50) + ".example/");
      jar.set(url, same_name ? "n=1" + (attributes + numbered(i)) + "/" : numbered(i) + "=1" + attributes,
              kNow);
    }
    REQUIRE(jar.size() == 3000);
    for (const char* url_text : {"http://h1.example/a/b", "https://h1.example/a/b", "https://new.example/"}) {
      const URL url(url_text);
      const std::uint64_t before = jar.visited();
      unsigned count = 0;
      for (std::size_t bytes = 0; bytes < 64 * 1024; ++count) {
        const std::string cookie = (same_name ? "n" : "x" + std::to_string(count)) + "=";
        jar.set(url, cookie, kNow + 1s);
        bytes += cookie.size();
      }
      CAPTURE(attributes, url_text, count);
      CHECK(jar.visited() - before < 10 * count);
    }
    // All expire at once: each is removed once.
    const std::uint64_t before = jar.visited();
    for (int i = 0; i < 100; ++i) set(jar, "http://h2.example/", numbered(i) + "=", kNow + 1000s);
    CHECK(jar.visited() - before < 3000 + 100 * 10);
  }
}

TEST_CASE("a request visits the cookies of its host and of the parent domains only", "[cookie_jar]") {
  CookieJar jar;
  for (int i = 0; i < 3000; ++i)
    CHECK(jar.set(URL("http://h" + std::to_string(i / 50) + ".example.test/"), numbered(i) + "=1", kNow));
  CHECK(set(jar, "http://h1.example.test/", "parent=1; Domain=example.test"));
  const std::uint64_t before = jar.visited();
  CHECK(get(jar, "http://h5.example.test/").ends_with("; parent=1"));
  CHECK(jar.visited() - before <= 51);
}

TEST_CASE("a path of more than 4096 bytes is refused", "[cookie_jar]") {
  CookieJar jar;
  const std::string directory = "/" + std::string(4095, 'p');
  CHECK(jar.set(URL("http://h.example" + directory + "/x"), "a=1", kNow));
  CHECK_FALSE(jar.set(URL("http://h.example" + directory + "p/x"), "a=1", kNow));
}

TEST_CASE("the limits hold after thousands of Set-Cookie headers", "[cookie_jar]") {
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
