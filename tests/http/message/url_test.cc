#include <squall/http/message/url.h>

#include <squall/http/message/percent_encoding.h>

#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::url_test {
namespace {

TEST_CASE("the parts of a URL are views into it (RFC 3986, 3)", "[url]") {
  const URL url("https://me:p%40w@Example.COM:8443/a%20b/c?x=1&y=/?#here/?");
  CHECK(url.text() == "https://me:p%40w@example.com:8443/a%20b/c?x=1&y=/?#here/?");
  CHECK(url.scheme() == "https");
  CHECK(url.is_https());
  CHECK(url.userinfo() == "me:p%40w");
  CHECK(url.username() == "me");
  CHECK(url.password() == "p@w");
  CHECK(url.host() == "example.com");
  CHECK(url.port() == 8443);
  CHECK(url.authority() == "example.com:8443");
  CHECK(url.origin() == "https://example.com:8443");
  CHECK(url.path() == "/a%20b/c");
  CHECK(url.query() == "x=1&y=/?");
  CHECK(url.fragment() == "here/?");
  CHECK(url.target() == "/a%20b/c?x=1&y=/?");
  CHECK(url.without_userinfo().text() == "https://example.com:8443/a%20b/c?x=1&y=/?#here/?");
  CHECK(url.without_fragment().text() == "https://me:p%40w@example.com:8443/a%20b/c?x=1&y=/?");
  CHECK(url.with_fragment("there").fragment() == "there");
}

TEST_CASE("a missing part of a URL differs from an empty one", "[url]") {
  const URL bare("http://h");
  CHECK(bare.text() == "http://h/");
  CHECK(bare.port() == 80);
  CHECK_FALSE(bare.userinfo());
  CHECK(bare.username().empty());
  CHECK(bare.password().empty());
  CHECK_FALSE(bare.query());
  CHECK_FALSE(bare.fragment());
  CHECK(bare.target() == "/");
  const URL empty("http://@h/?#");
  CHECK(empty.userinfo() == "");
  CHECK(empty.query() == "");
  CHECK(empty.fragment() == "");
  CHECK(empty.target() == "/?");
  CHECK(URL("http://user@h/").password().empty());
  CHECK(URL("http://user@h/").username() == "user");
}

TEST_CASE("scheme and host are in lower case, and the scheme's own port is left out", "[url]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP://EXAMPLE.com", "http://example.com/"},
      {"http://h:80/", "http://h/"},
      {"https://h:443?q", "https://h/?q"},
      {"https://h:80#f", "https://h:80/#f"},
      {"http://h:/x", "http://h/x"},
      {"http://h:00081/", "http://h:81/"},
      {"http://h:65535/", "http://h:65535/"},
      {"http://127.0.0.1/", "http://127.0.0.1/"},
      {"http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080/"},
      {"http://[2001:DB8::0:A]/", "http://[2001:db8::a]/"},
      {"http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]/"},
      {"http://a_b.c-d~e!$&'()*+,;=/", "http://a_b.c-d~e!$&'()*+,;=/"},
      {"http://xn--bcher-kva.example./", "http://xn--bcher-kva.example./"},
      {"http://0x7f.1.example/", "http://0x7f.1.example/"},
      // The path is not changed.
      {"http://h/a/../b/./%2e%2E//c", "http://h/a/../b/./%2e%2E//c"},
      {"http://h//evil.example/%7e%7E", "http://h//evil.example/%7e%7E"},
      {"http://h/-._~!$&'()*+,;=:@/?/?", "http://h/-._~!$&'()*+,;=:@/?/?"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    const URL url(text);
    CHECK(url.text() == expected);
    CHECK(URL(url.text()) == url);
  }
  CHECK(URL("http://[::1]:8080/").host() == "::1");
  CHECK(URL("http://[::1]:8080/").is_ipv6());
  CHECK(URL("http://[::1]:8080/").authority() == "[::1]:8080");
  CHECK(URL("HTTP://H/a").same_origin(URL("http://me@h:80/b")));
  CHECK_FALSE(URL("http://h/").same_origin(URL("https://h/")));
  CHECK_FALSE(URL("http://h/").same_origin(URL("http://h:81/")));
  CHECK_FALSE(URL("http://h/").same_origin(URL("http://i/")));
}

TEST_CASE("a text that is not a URL of http is refused with offset and reason", "[url]") {
  struct Case {
    std::string text;
    std::size_t offset;
    std::string reason;
  };
  using namespace std::string_literals;
  const std::vector<Case> cases = {
      {"", 0, "no scheme"},
      {"/path", 0, "no scheme"},
      {"//host/path", 0, "no scheme"},
      {"example.com:80/", 0, "the scheme is neither http nor https"},
      {"ftp://h/", 0, "the scheme is neither http nor https"},
      {"javascript:alert(1)", 0, "the scheme is neither http nor https"},
      {" http://h/", 0, "the scheme is neither http nor https"},
      {"httpx://h/", 0, "the scheme is neither http nor https"},
      {"http:/h/", 5, "no `//` behind the scheme"},
      {"http:h", 5, "no `//` behind the scheme"},
      {"http:\\\\h", 5, "no `//` behind the scheme"},
      {"http://", 7, "no host"},
      {"http:///path", 7, "no host"},
      {"http://?q", 7, "no host"},
      {"http://:80/", 7, "no host"},
      {"http://user@/", 12, "no host"},
      // Texts that other parsers read with another host.
      {"http://good.example\\@evil.example/", 19, "a backslash"},
      {"http://a\\b/", 8, "a backslash"},
      {"http://a@b@c/", 10, "a character that must be escaped"},
      {"http://h%2eexample/", 8, "a percent escape in the host"},
      {"http://h%00/", 8, "a percent escape in the host"},
      {"http://b\xC3\xBC"
       "cher.example/",
       8, "a character outside ASCII"},
      {"http://a b/", 8, "a space"},
      {"http://a\tb/", 8, "a control character"},
      {"http://a\nb/", 8, "a control character"},
      {"http://a\0b/"s, 8, "a control character"},
      {"http://a|b/", 8, "a character that must be escaped"},
      {"http://a[b]/", 8, "a character that must be escaped"},
      {"http://127.1/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://2130706433/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://0x7f.0.0.1/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://0x7F000001/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://127.0.0.01/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://256.0.0.1/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://1.2.3.4./", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://1.2.3.4.5/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://example.0x/", 7, "a host that ends in a number and is not an IPv4 address"},
      {"http://[::1/", 7, "an IPv6 address without its `]`"},
      {"http://[]/", 8, "not an IPv6 address"},
      {"http://[:::1]/", 8, "not an IPv6 address"},
      {"http://[1:2:3:4:5:6:7:8:9]/", 8, "not an IPv6 address"},
      {"http://[::1.2.3]/", 8, "not an IPv6 address"},
      {"http://[::01.2.3.4]/", 8, "not an IPv6 address"},
      {"http://[::1%25eth0]/", 8, "a zone in an IPv6 address"},
      {"http://[v1.x]/", 8, "not an IPv6 address"},
      {"http://[::1\0]/"s, 8, "not an IPv6 address"},
      {"http://[::1]x/", 12, "a character behind an IPv6 address"},
      {"http://h:x/", 9, "a port that is not a number"},
      {"http://h:-1/", 9, "a port that is not a number"},
      {"http://h:8 /", 9, "a port that is not a number"},
      {"http://h:80:80/", 9, "a port that is not a number"},
      {"http://h:65536/", 9, "a port above 65535"},
      {"http://h:99999999999999999999/", 9, "a port above 65535"},
      {"http://h:0/", 9, "port 0"},
      // Characters that no URI has.
      {"http://h/a b", 10, "a space"},
      {"http://h/a\\b", 10, "a backslash"},
      {"http://h/a\r\nb", 10, "a control character"},
      {"http://h/\x7f", 9, "a control character"},
      {"http://h/\xC3\xA9", 9, "a character outside ASCII"},
      {"http://h/<", 9, "a character that must be escaped"},
      {"http://h/a?b[c]", 12, "a character that must be escaped"},
      {"http://h/#a#b", 11, "a character that must be escaped"},
      {"http://h/?\"", 10, "a character that must be escaped"},
      {"http://h/ ", 9, "a space"},
      {"http://h/%", 9, "a broken percent escape"},
      {"http://h/%4", 9, "a broken percent escape"},
      {"http://h/%4g", 9, "a broken percent escape"},
      {"http://h/?%%41", 10, "a broken percent escape"},
      {"http://%zz@h/", 7, "a broken percent escape"},
      {"http://a%4/b@h/", 8, "a percent escape in the host"},
  };
  for (const Case& it : cases) {
    INFO(it.text);
    URLFault fault;
    CHECK_FALSE(URL::parse(it.text, fault));
    CHECK(fault.offset == it.offset);
    CHECK(fault.reason == it.reason);
    CHECK_THROWS_AS(URL(it.text), URLError);
  }
}

TEST_CASE("the error has the offset, and quotes the text without a password", "[url]") {
  const auto error_of = [](const std::string& text) -> std::string {
    try {
      const URL url(text);
    } catch (const URLError& error) {
      return error.what();
    }
    return "none";
  };
  try {
    const URL url("http://me:secret@h:99999/");
    FAIL("it was taken");
  } catch (const URLError& error) {
    CHECK(error.what() == std::string("Invalid URL 'http://...@h:99999/': a port above 65535 (at byte 19)"));
    CHECK(error.offset() == 19);
    CHECK(error.reason() == "a port above 65535");
  }
  using namespace std::string_literals;
  CHECK(error_of("http://me:se/cret@h@i:x/") ==
        "Invalid URL 'http://...@i:x/': a port that is not a number (at byte 10)");
  CHECK(error_of("ftp//me:secret@h").starts_with("Invalid URL '...@h': "));
  CHECK(error_of("http://a\0b/"s) == "Invalid URL 'http://a\\x00b/': a control character (at byte 8)");
  CHECK(error_of("http://h:x/" + std::string(5000, 'a')).size() < 300);
  CHECK(error_of("").starts_with("Invalid URL: "));
}

TEST_CASE("a URL longer than the limit is refused", "[url]") {
  const std::string longest = "http://h/" + std::string(URL::kMaxSize - 9, 'a');
  CHECK(URL::parse(longest));
  CHECK_FALSE(URL::parse(longest + "a"));
  URLFault fault;
  CHECK_FALSE(URL("http://host/").resolve("/" + std::string(URL::kMaxSize - 5, 'a'), fault));
  CHECK(fault.reason == "longer than a URL may be");
}

TEST_CASE("references are resolved as in RFC 3986, 5.4", "[url]") {
  const URL base("http://a/b/c/d;p?q");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      // Cases that are not in the table of the RFC.
      {"https://h:444/x/../y", "https://h:444/y"},
      {"//H:80", "http://h/"},
      {"/.//evil.example", "http://a//evil.example"},
      {"..//../x", "http://a/b/x"},
      {"?", "http://a/b/c/d;p?"},
      {"/%2e%2e/x", "http://a/%2e%2e/x"},
  };
  for (const auto& [reference, expected] : cases) {
    INFO(reference);
    CHECK(base.resolve(reference).text() == expected);
  }
}

TEST_CASE("a reference with its own authority does not inherit the user of its base", "[url]") {
  const URL base("https://me:pw@h:8443/a#f");
  CHECK(base.resolve("b").text() == "https://me:pw@h:8443/b");
  CHECK(base.resolve("//h:8443/b").text() == "https://h:8443/b");
  CHECK(base.resolve("").text() == "https://me:pw@h:8443/a");
  CHECK(base.resolve("http://other/").text() == "http://other/");
}

TEST_CASE("a malformed reference is refused with the offset of the fault", "[url]") {
  const URL base("http://h/a");
  for (const char* reference :
       {"http:x", "mailto:me", "//", "///x", "x:y", "/a b", "\\\\evil", "/\\evil", "//a:b"})
    CHECK_THROWS_AS(base.resolve(reference), URLError);
  URLFault fault;
  CHECK_FALSE(base.resolve("//evil:99999/", fault));
  CHECK(fault.offset == 7);
}

TEST_CASE("URL::build() escapes the parts", "[url]") {
  URLParts parts;
  parts.scheme = "https";
  parts.username = "a:b@c";
  parts.password = "p:/%";
  parts.host = "::1";
  parts.port = 8443;
  parts.path = "/a b/c?d/\xC3\xA9%";
  parts.query = {{"q", "x&y z"}, {"e", ""}};
  parts.fragment = "f#g";
  const URL url = URL::build(parts);
  CHECK(url.text() == "https://a%3Ab%40c:p:%2F%25@[::1]:8443/a%20b/c%3Fd/%C3%A9%25?q=x%26y+z&e=#f%23g");
  CHECK(url.username() == parts.username);
  CHECK(url.password() == parts.password);
  CHECK(url.host() == parts.host);
  CHECK(percent_decode(url.path()) == parts.path);
  CHECK(parse_query(*url.query()) == parts.query);
  CHECK(percent_decode(*url.fragment()) == parts.fragment);

  parts = {};
  parts.host = "Example.com";
  CHECK(URL::build(parts).text() == "http://example.com/");
  parts.path = "";
  CHECK(URL::build(parts).text() == "http://example.com/");
}

TEST_CASE("parts that would change other parts are refused", "[url]") {
  for (const char* host : {"", "a/b", "a?b", "a#b", "me@h", "a b", "a%41", "h:80", "[::1]:80"}) {
    URLParts parts;
    parts.host = host;
    INFO(host);
    CHECK_THROWS_AS(URL::build(parts), URLError);
  }
  URLParts parts;
  parts.host = "h";
  parts.path = "a";
  CHECK_THROWS_AS(URL::build(parts), URLError);
  parts.path = "/";
  parts.scheme = "gopher";
  CHECK_THROWS_AS(URL::build(parts), URLError);
}

}  // namespace
}  // namespace squall::http::url_test
