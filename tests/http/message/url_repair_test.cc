// Texts that browsers take for URLs after repairs, by the WHATWG's URL standard. URL repairs nothing (RFC
// 3986): it refuses a text, or reads it as browsers do.

#include <squall/http/message/url.h>

#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::url_repair_test {
namespace {

// The references are resolved against this URL.
const char* const kBase = "http://me@example.org/a/b?q#f";

struct Row {
  const char* reference;
  const char* browser;  // the URL that a browser makes of it; empty: none
};

TEST_CASE("a reference without need for repairs means the same as in a browser", "[url]") {
  const std::vector<Row> rows = {
      {"http://user:pass@foo:21/bar;par?b#c", "http://user:pass@foo:21/bar;par?b#c"},
      {"http://f:/c", "http://f/c"},
      {"http://f:00000000000000000000080/c?d#e", "http://f/c?d#e"},
      {"https://foo:443/", "https://foo/"},
      {"https://foo:80/", "https://foo:80/"},
      {"HTTP://FOO.Example/A", "http://foo.example/A"},
      {"http://:b@www.example.com", "http://:b@www.example.com/"},
      {"http://www.@pple.com", "http://www.@pple.com/"},
      {"http://%25DOMAIN:foobar@foodomain.com/", "http://%25DOMAIN:foobar@foodomain.com/"},
      {"", "http://me@example.org/a/b?q"},
      {"#", "http://me@example.org/a/b?q#"},
      {"#/;?", "http://me@example.org/a/b?q#/;?"},
      {"?", "http://me@example.org/a/b?"},
      {"?y=/../z", "http://me@example.org/a/b?y=/../z"},
      {"/", "http://me@example.org/"},
      {"/:23", "http://me@example.org/:23"},
      {"/a%2fc", "http://me@example.org/a%2fc"},
      {"/(%28:%3A%29)", "http://me@example.org/(%28:%3A%29)"},
      {"/@asdf%40", "http://me@example.org/@asdf%40"},
      {"foo.com", "http://me@example.org/a/foo.com"},
      {"test.txt/", "http://me@example.org/a/test.txt/"},
      {".", "http://me@example.org/a/"},
      {"..", "http://me@example.org/"},
      {"./.foo", "http://me@example.org/a/.foo"},
      {"../../../..b", "http://me@example.org/..b"},
      {"/foo/bar/../ton/../../a", "http://me@example.org/a"},
      {"/foo/bar//..", "http://me@example.org/foo/bar/"},
      {"/foo/bar//../..", "http://me@example.org/foo/"},
      {"http://example.com////../..", "http://example.com//"},
      {"/.//evil.example", "http://me@example.org//evil.example"},
      {"/..//evil.example", "http://me@example.org//evil.example"},
      {"//foo/bar", "http://foo/bar"},
      {"//foo/bar:baz", "http://foo/bar:baz"},
      {"http://1.1.1.1:80/", "http://1.1.1.1/"},
      {"http://0x7f.0.0.0x7g", "http://0x7f.0.0.0x7g/"},
      {"http://foo.09..", "http://foo.09../"},
      {"http://[1:0::]", "http://[1::]/"},
      {"http://[2001::1]:80", "http://[2001::1]/"},
      {"http://[0:f:0:0:f:f:0:0]", "http://[0:f::f:f:0:0]/"},
      {"http://[0:f:0:0:f:0:0:0]", "http://[0:f:0:0:f::]/"},
      {"http://[FF:0:1:0:1:0:1:0]", "http://[ff:0:1:0:1:0:1:0]/"},
  };
  const URL base(kBase);
  for (const Row& row : rows) {
    INFO(row.reference);
    CHECK(base.resolve(row.reference).text() == row.browser);
  }
}

TEST_CASE("a reference that a browser repairs, or refuses, is refused", "[url]") {
  const std::vector<Row> rows = {
      // Blanks and control characters, which browsers remove or escape.
      {"http://example\t.\norg", "http://example.org/"},
      {" foo.com  ", "http://me@example.org/a/foo.com"},
      {"\t", "http://me@example.org/a/b?q"},
      {"http://f:\n/c", "http://f/c"},
      {"http://f:21/ b ? d # e ", "http://f:21/%20b%20?%20d%20# e"},
      {"/a/ /c", "http://me@example.org/a/%20/c"},
      {"/foo\tbar", "http://me@example.org/foobar"},
      {"\x01/x", "http://me@example.org/x"},
      {"ht\ntps://x/", "https://x/"},
      // Backslashes, which browsers take for slashes.
      {"\\x", "http://me@example.org/x"},
      {"\\\\x\\hello", "http://x/hello"},
      {"/\\x/hello", "http://x/hello"},
      {"http:\\\\www.example.com\\foo", "http://www.example.com/foo"},
      {"http://example.com\\@evil.example/", "http://example.com/@evil.example/"},
      {"#\\", "http://me@example.org/a/b?q#\\"},
      // Slashes behind the scheme that are missing or too many.
      {"http:foo.com", "http://me@example.org/a/foo.com"},
      {"http:/example.com/", "http://me@example.org/example.com/"},
      {"https:/example.com/", "https://example.com/"},
      {"https:example.com/", "https://example.com/"},
      {"http:@www.example.com", "http://www.example.com/"},
      {"http:///example.com/", "http://example.com/"},
      {"///x", "http://x/"},
      {"////x", "http://x/"},
      {"http:////", ""},
      {"http:", "http://me@example.org/a/b?q"},
      // A colon in the first segment of a path makes it a scheme (RFC 3986, 4.2).
      {":foo.com", "http://me@example.org/a/:foo.com"},
      {":", "http://me@example.org/a/:"},
      {":23", "http://me@example.org/a/:23"},
      {"::", "http://me@example.org/a/::"},
      {":#x", "http://me@example.org/a/:#x"},
      {"[61:24:74]:98", "http://me@example.org/a/[61:24:74]:98"},
      {"a b:c", "http://me@example.org/a/a%20b:c"},
      // Other schemes.
      {"a:x", "a:x"},
      {"ftp://example.com/", "ftp://example.com/"},
      {"file:///etc/passwd", "file:///etc/passwd"},
      {"javascript:/../", "javascript:/"},
      {"mailto:me@example.com", "mailto:me@example.com"},
      {"data:text/plain,x", "data:text/plain,x"},
      {"ws://example.com/", "ws://example.com/"},
      {"httpa://foo:80/", "httpa://foo:80/"},
      {"blob:https://example.com:443/", "blob:https://example.com:443/"},
      // Hosts that browsers decode, map or read as a number.
      {"http://ex%41mple.org/", "http://example.org/"},
      {"http://foo%2Ecom/", "http://foo.com/"},
      {"http://b\xC3\xBC"
       "cher.example/",
       "http://xn--bcher-kva.example/"},
      {"http://www.foo\xE3\x80\x82"
       "bar.com",
       "http://www.foo.bar.com/"},
      {"http://\xEF\xBC\x85\xEF\xBC\x94\xEF\xBC\x91.com", "http://a.com/"},
      {"http://GOO\xE2\x80\x8Bgoo.com", "http://googoo.com/"},
      {"http://1.2.3", "http://1.2.0.3/"},
      {"http://256", "http://0.0.1.0/"},
      {"http://1.2.3.4.", "http://1.2.3.4/"},
      {"http://0300.168.0.0xF0", "http://192.168.0.240/"},
      {"http://192.0x00A80001", "http://192.168.0.1/"},
      {"http://0xffffffff", "http://255.255.255.255/"},
      {"http://0x.0x.0", "http://0.0.0.0/"},
      {"http://4294967296", ""},
      {"http://09.2.3.4", ""},
      {"http://foo.09", ""},
      {"http://foo.0x4", ""},
      {"http://foo.0x4.", ""},
      {"http://foo.2.3", ""},
      {"http://1.2.3.4.5.", ""},
      {"http://192.168.0.257", ""},
      // No hosts.
      {"http://", ""},
      {"http://@/x", ""},
      {"http://:80", ""},
      {"http://a:b@/www.example.com", ""},
      {"http://@:www.example.com", ""},
      {"http://user@/www.example.com", ""},
      {"http://example example.com", ""},
      {"http://a<b", ""},
      {"http://a>b", ""},
      {"http://a^b", ""},
      {"http://a[b", ""},
      {"http://a]b", ""},
      {"http://a|b", ""},
      {"http://%25", ""},
      {"http://%zz%66%a.com", ""},
      {"http://hello%00", ""},
      {"http://a\x7f"
       "b",
       ""},
      {"http://a`b{c}\"", "http://a`b{c}\"/"},
      // IPv6 addresses.
      {"http://2001::1", ""},
      {"http://2001::1]:80", ""},
      {"http://[www.google.com]/", ""},
      {"http://[:]", ""},
      {"http://[0::0::0]", ""},
      {"http://[0:.0]", ""},
      {"http://[0:0:]", ""},
      {"http://[0:1:2:3:4:5:6:7.0.0.0.1]", ""},
      {"http://[0:1.23.23]", ""},
      {"http://[::127.0.0.1.]", ""},
      {"http://[::1.2.3.4x]", ""},
      {"http://[::1.2.]", ""},
      {"http://[::.1.2]", ""},
      {"http://[::%31]", ""},
      {"http://%5B::1]", ""},
      {"http://[::1%2]", ""},
      // Ports.
      {"http://f:0/c", "http://f:0/c"},
      {"http://f:00000000000000/c", "http://f:0/c"},
      {"http://f:b/c", ""},
      {"http://f: /c", ""},
      {"http://f:fifty-two/c", ""},
      {"http://f:65536/c", ""},
      {"http://foo:-80/", ""},
      {"http://f:0x50/", ""},
      {"http://f:4294967376/", ""},
      // Characters that no URI has, and malformed escapes; browsers escape or keep them.
      {"/foo%", "http://me@example.org/foo%"},
      {"/foo%2zbar", "http://me@example.org/foo%2zbar"},
      {"/foo%2\xC2\xA9zbar", "http://me@example.org/foo%2%C2%A9zbar"},
      {"/\xE2\x80\xA5", "http://me@example.org/%E2%80%A5"},
      {"\xEF\xBB\xBF/x", "http://me@example.org/a/%EF%BB%BF/x"},
      {"/a|b", "http://me@example.org/a|b"},
      {"/[a]", "http://me@example.org/[a]"},
      {"/{}`^\"<>", "http://me@example.org/%7B%7D%60^%22%3C%3E"},
      {"?a[]=1", "http://me@example.org/a/b?a[]=1"},
      {"?\"<>", "http://me@example.org/a/b?%22%3C%3E"},
      {"?%", "http://me@example.org/a/b?%"},
      {"#a#b", "http://me@example.org/a/b?q#a#b"},
      {"#\xCE\xB2", "http://me@example.org/a/b?q#%CE%B2"},
      {"http://us er@h/", "http://us%20er@h/"},
      {"http://a@b@c/", "http://a%40b@c/"},
      {"http://me:[x]@h/", "http://me:%5Bx%5D@h/"},
  };
  const URL base(kBase);
  for (const Row& row : rows) {
    INFO(row.reference << " is for browsers " << row.browser);
    URLFault fault;
    CHECK_FALSE(base.resolve(row.reference, fault));
    CHECK_FALSE(fault.reason.empty());
  }
}

TEST_CASE("a URL that browsers spell otherwise keeps its spelling, and has the same origin", "[url]") {
  struct Spelling {
    const char* reference;
    const char* browser;
    const char* ours;
  };
  const std::vector<Spelling> rows = {
      // Empty user information is information (RFC 3986, 3.2.1).
      {"https://test:@test", "https://test@test/", "https://test:@test/"},
      {"https://:@test", "https://test/", "https://:@test/"},
      {"http://@www.example.com", "http://www.example.com/", "http://@www.example.com/"},
      // An apostrophe is legal in a query.
      {"http://host/?'", "http://host/?%27", "http://host/?'"},
      // Escaped dots are no dot segments.
      {"/foo/%2e", "http://me@example.org/foo/", "http://me@example.org/foo/%2e"},
      {"/foo/%2E%2e/x", "http://me@example.org/x", "http://me@example.org/foo/%2E%2e/x"},
      {"/foo/.%2e/x", "http://me@example.org/x", "http://me@example.org/foo/.%2e/x"},
      // RFC 5952, 5.
      {"http://[::127.0.0.1]", "http://[::7f00:1]/", "http://[::127.0.0.1]/"},
      {"http://[::ffff:102:304]", "http://[::ffff:102:304]/", "http://[::ffff:1.2.3.4]/"},
  };
  const URL base(kBase);
  for (const Spelling& row : rows) {
    INFO(row.reference);
    const URL url = base.resolve(row.reference);
    CHECK(url.text() == row.ours);
    CHECK(url.same_origin(URL(row.browser)));
  }
}

}  // namespace
}  // namespace squall::http::url_repair_test
