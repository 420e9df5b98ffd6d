// The grammar of the request target (RFC 9112, 3.2; RFC 3986), byte by byte.

#include <squall/http/codec/request_parser.h>

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::http::request_target_test {
namespace {

// The status of the answer to a request line, or 0 if the request is served.
int status_of(std::string_view method, std::string_view target) {
  RequestParser parser;
  ParsedRequest request;
  parser.begin(request, RequestParser::Limits());
  const std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: h\r\n\r\n", method, target);
  std::string_view bytes = head;
  switch (parser.parse(bytes)) {
    case RequestParser::Result::complete: return request.target() == target ? 0 : -1;
    case RequestParser::Result::failed: return parser.refusal().status;
    default: return -1;
  }
}

const std::string kHex = "0123456789abcdefABCDEF";
const std::string kAlnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const std::string kUnreserved = kAlnum + "-._~";
const std::string kSubDelims = "!$&'()*+,;=";
const std::string kPathChar = kUnreserved + kSubDelims + ":@/" + "[]^|";
const std::string kQueryChar = kPathChar + "?" + "%\\`{}";
// Without the comma, which would end the name where hosts are in a list (HUT-33).
const std::string kNameChar = kUnreserved + "!$&'()*+;=";

TEST_CASE("each byte of a request target is accepted or refused with 400 at each place (RFC 9112, 3.2)",
          "[request_target]") {
  struct Place {
    const char* method;
    std::string before;
    std::string after;
    std::string legal;
  };
  const Place places[] = {
      // origin-form
      {"GET", "", "", "/"},
      {"GET", "", "/a", "/"},
      {"GET", "/", "", kPathChar + "?"},
      {"GET", "/a", "b", kPathChar + "?"},
      {"POST", "/a", "b?c", kPathChar + "?"},
      {"GET", "/%", "1", kHex},
      {"GET", "/%4", "", kHex},
      {"GET", "/a%4", "b", kHex},
      {"GET", "/?", "", kQueryChar},
      {"GET", "/?a", "b", kQueryChar},
      {"GET", "/a?b=%", "c", kQueryChar},
      // absolute-form
      {"GET", "http://h/", "", kPathChar + "?"},
      {"GET", "http://h/a", "b", kPathChar + "?"},
      {"GET", "http://h/%", "1", kHex},
      {"GET", "http://h/?a", "b", kQueryChar},
      {"GET", "http://h?a", "b", kQueryChar},
      {"GET", "http://h", "", kNameChar + ":/?"},
      {"GET", "http://", "h/", kNameChar},
      {"GET", "http://a", "b/", kNameChar + "/?"},
      {"GET", "http://a%", "1/", kHex},
      {"GET", "http://h:8", "", "0123456789/?"},
      {"GET", "http://h:8", "/", "0123456789/?"},
      {"GET", "http://[::", "1]/", kHex},
      {"GET", "http://[::1", "]:80/", kHex},
      {"GET", "http://[::1]", "80/", ":/?"},
      {"GET", "http://[v1.", "]/", kUnreserved + kSubDelims + ":"},
      {"GET", "http://[v", ".a]/", kHex},
      {"GET", "", "ttp://h/", "hH/"},
      {"GET", "http", "://h/", "sS"},
      {"GET", "http", "//h/", ":"},
      {"GET", "http:", "/h/", "/"},
      // authority-form
      {"CONNECT", "", ":80", kNameChar},
      {"CONNECT", "a", "b:80", kNameChar},
      {"CONNECT", "h", "80", ":"},
      {"CONNECT", "h:8", "", "0123456789"},
      {"CONNECT", "[::", "1]:80", kHex},
      // asterisk-form
      {"OPTIONS", "", "", "*/"},
      {"OPTIONS", "*", "", ""},
      {"GET", "*", "", ""},
  };
  for (const Place& place : places) {
    for (int c = 0; c < 0x100; ++c) {
      const char byte = static_cast<char>(c);
      CAPTURE(place.method, place.before, place.after, c);
      const bool is_legal = place.legal.find(byte) != std::string::npos;
      REQUIRE(status_of(place.method, place.before + byte + place.after) == (is_legal ? 0 : 400));
    }
  }
}

TEST_CASE("only CONNECT has an authority for a target, and only OPTIONS an asterisk (RFC 9112, 3.2)",
          "[request_target]") {
  for (const char* const method : {"GET", "POST", "OPTIONS", "PROPFIND"}) {
    CAPTURE(method);
    CHECK(status_of(method, "/") == 0);
    CHECK(status_of(method, "http://h") == 0);
    CHECK(status_of(method, "h:80") == 400);
    CHECK(status_of(method, "*") == (method == std::string("OPTIONS") ? 0 : 400));
  }
  CHECK(status_of("CONNECT", "h:80") == 0);
  CHECK(status_of("CONNECT", "/") == 400);
  CHECK(status_of("CONNECT", "*") == 400);
  CHECK(status_of("CONNECT", "http://h:80/") == 400);
}

TEST_CASE("an address in brackets is an IPv6 address, or of a later version (RFC 3986, 3.2.2)",
          "[request_target]") {
  for (const char* const good :
       {"::", "::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::1", "v1.x", "VaF.a:b"}) {
    CAPTURE(good);
    CHECK(status_of("GET", fmt::format("http://[{}]/", good)) == 0);
  }
  for (const char* const bad : {"", ":", ":::", "1:2", "1:2:3:4:5:6:7:8:9", "::1.2.3", "::g", "::1%25lo",
                                "::1%lo", "fe80::1%1", "1.2.3.4", "v", "v1", "v1.", "v.x", "vg.x", "v1.x/",
                                "v1.x@", "0000:0000:0000:0000:0000:0000:255.255.255.255:0000"}) {
    CAPTURE(bad);
    CHECK(status_of("GET", fmt::format("http://[{}]/", bad)) == 400);
  }
}

TEST_CASE("targets that browsers send are served", "[request_target]") {
  for (const char* const target :
       {"/a|b[c]^d", "/?filter[name]=a|b", "/?q=%7B%22a%22%7D", "/?q={a}", "/?q=C:\\temp", "/?q=100%",
        "/?q=%zz&r=%", "/?q=`x`^2", "/~user/(a)'b'!*;v=1,2/@x:y", "//a/../b", "/%2e%2E/%00"}) {
    CAPTURE(target);
    CHECK(status_of("GET", target) == 0);
  }
}

}  // namespace
}  // namespace squall::http::request_target_test
