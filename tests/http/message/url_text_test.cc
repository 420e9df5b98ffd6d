#include <squall/http/message/url_text.h>

#include <squall/http/message/url.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "support/catch.h"

namespace squall::http::url_text_test {
namespace {

TEST_CASE("characters that no URI has are escaped, and valid escapes stay", "[url_text]") {
  CHECK(percent_encode_stray("http://h/a b\"\xC3\xA9|%41[]#\\") == "http://h/a%20b%22%C3%A9%7C%41%5B%5D#%5C");
  CHECK(percent_encode_stray("http://[::1]:80/[]") == "http://[::1]:80/%5B%5D");
  CHECK(percent_encode_stray("//[::1]?ids[]=1") == "//[::1]?ids%5B%5D=1");
  CHECK(percent_encode_stray("/list?ids[]=1#a#b") == "/list?ids%5B%5D=1#a%23b");
  CHECK(percent_encode_stray("a[b]//c[d]") == "a%5Bb%5D//c%5Bd%5D");
  CHECK(percent_encode_stray("/100%?50%2&%4x%41%") == "/100%25?50%252&%254x%41%25");
  CHECK(URL(percent_encode_stray("http://h/\xE6\xB8\xAC?q=a b")).target() == "/%E6%B8%AC?q=a%20b");
}

TEST_CASE("arguments are appended to a URL's query (HUT-50)", "[url_text]") {
  CHECK(url_concat("http://example.com/foo?a=b", {{"c", "d"}, {"c", "d2"}}) ==
        "http://example.com/foo?a=b&c=d&c=d2");
  CHECK(url_concat("https://localhost/path?x", {{"y", "y"}}) == "https://localhost/path?x=&y=y");
  CHECK(url_concat("https://localhost/path?x=&y=1", {{"z", "a b/c&d"}}) ==
        "https://localhost/path?x=&y=1&z=a+b%2Fc%26d");
  CHECK(url_concat("https://localhost/path#frag", {{"a", "\xC3\xA9"}}) ==
        "https://localhost/path?a=%C3%A9#frag");
  CHECK(url_concat("https://localhost/path?a=1%202", {{"k", "v+w"}}) ==
        "https://localhost/path?a=1+2&k=v%2Bw");
  CHECK(url_concat("/p?next=/foo", {{"q", "~-_.*"}}) == "/p?next=%2Ffoo&q=~-_.%2A");
  CHECK(url_concat("/p?x#f?g", {}) == "/p?x#f?g");
  CHECK(url_concat("/p#f?g", {{"a", "1"}}) == "/p?a=1#f?g");
  CHECK(url_concat("/p?", {{"a", "1"}}) == "/p?a=1");
}

TEST_CASE("a port is split from its host (HUT-52)", "[url_text]") {
  const auto none = std::optional<std::uint16_t>();
  const auto split = [](std::string_view text) { return split_host_and_port(text); };
  CHECK(split("example.com:80") ==
        std::pair(std::string_view("example.com"), std::optional<std::uint16_t>(80)));
  CHECK(split("[::1]:8080") == std::pair(std::string_view("[::1]"), std::optional<std::uint16_t>(8080)));
  for (const std::string_view whole :
       {"1.2.3.4", "host:", "::1", "[::1]", ":80", "", "h:x", "h:65536", "fe80::1:80"})
    CHECK(split(whole) == std::pair(whole, none));
}

TEST_CASE("without_port() also removes an empty port (RFC 3986, 3.2.3)", "[url_text]") {
  CHECK(without_port("h.example:80") == "h.example");
  CHECK(without_port("h.example:") == "h.example");
  CHECK(without_port("h.example") == "h.example");
  CHECK(without_port("[::1]:") == "[::1]");
  CHECK(without_port("[::1]") == "[::1]");
  CHECK(without_port("") == "");
}

}  // namespace
}  // namespace squall::http::url_text_test
