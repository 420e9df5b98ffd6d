#include <squall/http/server/proxy_headers.h>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::proxy_headers_test {
namespace {

using testing::HTTPFixture;

using Fields = std::vector<std::pair<const char*, const char*>>;

struct Case {
  Fields headers;
  std::string expected;
};

// The client of a request over plain HTTP from 127.0.0.1.
ProxyHeaders::Client client_of(const ProxyHeaders& proxies, const Fields& fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return proxies.client_of(*Address::parse_ip("127.0.0.1"), false, headers);
}

std::string brief(const ProxyHeaders::Client& client) {
  return fmt::format("{} {}", client.address.ip(), client.secure ? "https" : "http");
}

void check(const ProxyHeaders& proxies, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.headers.empty() ? "" : c.headers[0].second);
    CHECK(brief(client_of(proxies, c.headers)) == c.expected);
  }
}

TEST_CASE(
    "the remote address is the client that the proxies' fields name, read from the right (HSV-22, HSV-23, "
    "SEC-55)",
    "[proxy_headers]") {
  const ProxyHeaders proxies({.trusted_downstream = {Network("5.5.5.5"), Network("10.0.0.0/8")}});
  const std::vector<Case> cases = {
      {{}, "127.0.0.1 http"},
      {{{"X-Forwarded-For", "4.4.4.4, 5.5.5.5"}, {"X-Forwarded-Proto", "https"}}, "4.4.4.4 https"},
      {{{"X-Real-IP", "7.7.7.7"}, {"X-Forwarded-For", "4.4.4.4"}, {"X-Scheme", "http"}}, "7.7.7.7 http"},
      {{{"X-Real-IP", "<script>"}, {"X-Scheme", "unknown"}, {"X-Forwarded-Proto", "https, http"}},
       "127.0.0.1 http"},
      {{{"X-Forwarded-For", "2620:0:1cfe:face:b00c::3"}}, "2620:0:1cfe:face:b00c::3 http"},
      {{{"X-Forwarded-For", "1.1.1.1, 4.4.4.4"}}, "4.4.4.4 http"},
      {{{"X-Forwarded-For", "1.1.1.1, 4.4.4.4,10.1.2.3 ,\t5.5.5.5"}}, "4.4.4.4 http"},
      {{{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "4.4.4.4, 5.5.5.5"}}, "4.4.4.4 http"},
      {{{"X-Forwarded-For", "10.0.0.1, 5.5.5.5"}}, "10.0.0.1 http"},
      {{{"X-Forwarded-For", "4.4.4.4, 5.5.5.5, garbage"}}, "127.0.0.1 http"},
      {{{"X-Forwarded-For", "4.4.4.4, unknown, 5.5.5.5"}}, "127.0.0.1 http"},
      {{{"X-Forwarded-For", ""}}, "127.0.0.1 http"},
      {{{"X-Forwarded-For", "4.4.4.4,"}}, "127.0.0.1 http"},
      {{{"X-Forwarded-Proto", "http, https"}}, "127.0.0.1 https"},
      {{{"X-Scheme", "https"}, {"X-Forwarded-Proto", "http"}}, "127.0.0.1 https"},
  };
  check(proxies, cases);
}

TEST_CASE("addresses and protocols are read in every spelling that proxies send", "[proxy_headers]") {
  const ProxyHeaders proxies({.trusted_downstream = {Network("10.0.0.0/8"), Network("2001:db8:1::/48")}});
  const std::vector<std::pair<const char*, const char*>> addresses = {
      {"1.2.3.4", "1.2.3.4:0"},
      {"1.2.3.4:5678", "1.2.3.4:5678"},
      {"2001:db8::1", "[2001:db8::1]:0"},
      {"[2001:db8::1]", "[2001:db8::1]:0"},
      {"[2001:db8::1]:4711", "[2001:db8::1]:4711"},
      {"9.9.9.9, 1.2.3.4:5678, 10.0.0.1:80, [2001:db8:1::7]:443", "1.2.3.4:5678"},
      {"1.2.3.4:_hidden", "1.2.3.4:0"},
      {"[1.2.3.4]", "127.0.0.1:0"},
      {"[2001:db8::1", "127.0.0.1:0"},
      {"[2001:db8::1]x", "127.0.0.1:0"},
      {"[2001:db8::1]:", "127.0.0.1:0"},
      {"1.2.3.4:", "127.0.0.1:0"},
      {"1.2.3.4:65536", "127.0.0.1:0"},
      {"010.2.3.4", "127.0.0.1:0"},
      {"unknown", "127.0.0.1:0"},
      {"_hidden", "127.0.0.1:0"},
      {":", "127.0.0.1:0"},
      {"[]", "127.0.0.1:0"},
  };
  for (const char* name : {"X-Forwarded-For", "X-Real-IP"}) {
    for (const auto& [text, expected] : addresses) {
      CAPTURE(name, text);
      CHECK(client_of(proxies, {{name, text}}).address.to_string() == expected);
    }
  }
  for (const char* name : {"X-Forwarded-Proto", "X-Scheme"}) {
    for (const char* secure : {"https", "HTTPS", "Https", "wss", " HTTPS ", "http, HTTPS"}) {
      CAPTURE(name, secure);
      CHECK(client_of(proxies, {{name, secure}}).secure);
    }
    for (const char* plain : {"HTTP", "ws", "ftp", "", "https,", "httpss"}) {
      CAPTURE(name, plain);
      CHECK_FALSE(client_of(proxies, {{name, plain}}).secure);
    }
  }
}

TEST_CASE("only the fields that the options name are read", "[proxy_headers]") {
  const Fields all = {{"X-Real-IP", "1.1.1.1"},        {"X-Forwarded-For", "2.2.2.2"},
                      {"CF-Connecting-IP", "3.3.3.3"}, {"Forwarded", "for=4.4.4.4;proto=https"},
                      {"X-Forwarded-Proto", "https"},  {"X-Scheme", "http"}};
  const auto read = [&](const char* address_field, const char* protocol_field) {
    return brief(
        client_of(ProxyHeaders({.address_field = address_field, .protocol_field = protocol_field}), all));
  };
  CHECK(read("", "") == "1.1.1.1 http");
  CHECK(read("x-real-ip", "") == "1.1.1.1 http");
  CHECK(read("X-Forwarded-For", "") == "2.2.2.2 http");
  CHECK(read("X-Forwarded-For", "x-forwarded-proto") == "2.2.2.2 https");
  CHECK(read("", "X-Forwarded-Proto") == "127.0.0.1 https");
  CHECK(read("CF-Connecting-IP", "X-Scheme") == "3.3.3.3 http");
  CHECK(read("Forwarded", "") == "4.4.4.4 https");
  CHECK(read("forwarded", "X-Scheme") == "4.4.4.4 http");
  CHECK(read("X-Real-IP", "Forwarded") == "1.1.1.1 https");
  CHECK(read("X-Absent", "X-Absent") == "127.0.0.1 http");
  CHECK_THROWS_AS(ProxyHeaders({.address_field = "X Real"}), std::invalid_argument);
  CHECK_THROWS_AS(ProxyHeaders({.protocol_field = "X-Proto:"}), std::invalid_argument);
}

TEST_CASE("Forwarded names the client and its protocol, read from the right (RFC 7239)", "[proxy_headers]") {
  const ProxyHeaders proxies(
      {.trusted_downstream = {Network("5.5.5.5"), Network("10.0.0.0/8")}, .address_field = "Forwarded"});
  const std::vector<Case> cases = {
      {{}, "127.0.0.1 http"},
      {{{"Forwarded", "for=192.0.2.43"}}, "192.0.2.43 http"},
      {{{"Forwarded", "For=\"192.0.2.43:47011\";Proto=HTTPS"}}, "192.0.2.43 https"},
      {{{"Forwarded", "for=192.0.2.43:47011; proto=https; by=203.0.113.43"}}, "192.0.2.43 https"},
      {{{"Forwarded", "by=203.0.113.43;proto=\"https\";for=\"[2001:db8:cafe::17]:4711\""}},
       "2001:db8:cafe::17 https"},
      {{{"Forwarded", "for=\"[2001:db8:cafe::17]\""}}, "2001:db8:cafe::17 http"},
      {{{"Forwarded", "for=\"1\\92.0.2.43\""}}, "192.0.2.43 http"},
      {{{"Forwarded", "for=192.0.2.43:_port"}}, "192.0.2.43 http"},
      {{{"Forwarded", "for=unknown;proto=https"}}, "127.0.0.1 https"},
      {{{"Forwarded", "for=_hidden, for=_SEVKISEK"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=1.1.1.1;proto=https, for=4.4.4.4"}}, "4.4.4.4 http"},
      {{{"Forwarded", "for=1.1.1.1, for=4.4.4.4;proto=https ,\tfor=5.5.5.5;proto=http"}}, "4.4.4.4 https"},
      {{{"Forwarded", "for=4.4.4.4;proto=https"}, {"Forwarded", "for=10.0.0.1;proto=http"}}, "4.4.4.4 https"},
      {{{"Forwarded", "for=10.0.0.1;proto=https, for=5.5.5.5"}}, "10.0.0.1 https"},
      {{{"Forwarded", "proto=https"}}, "127.0.0.1 https"},
      // Extensions, empty pairs and quoted commas are read over.
      {{{"Forwarded", "for=4.4.4.4;;host=\"a,for=6.6.6.6\";x=\"\\\",for=7.7.7.7\";"}}, "4.4.4.4 http"},
      // A quote that the client left open does not hide the proxy's element.
      {{{"Forwarded", "for=\"6.6.6.6, for=4.4.4.4;proto=https"}}, "4.4.4.4 https"},
      {{{"Forwarded", "for=\", for=\"[2001:db8::1]:47\""}}, "2001:db8::1 http"},
      // A malformed element is not trusted for anything.
      {{{"Forwarded", "for=4.4.4.4;for=6.6.6.6;proto=https"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=4.4.4.4;proto=https;proto=https"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=4.4.4.4;proto"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for =4.4.4.4"}}, "127.0.0.1 http"},
      {{{"Forwarded", "4.4.4.4"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=\"4.4.4.4\"x;proto=https"}}, "127.0.0.1 http"},
      {{{"Forwarded", "proto=https;for=\"4.4.4.4"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=4.4.4.4;proto=https;x=\"\"y"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=4.4.4.4;proto=https;x=a b"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=4.4.4.4;x=\xff"}}, "127.0.0.1 http"},
      {{{"Forwarded", "for=4.4.4.4;x="}}, "127.0.0.1 http"},
      // Empty elements are ignored (RFC 9110, 5.6.1.2).
      {{{"Forwarded", "for=4.4.4.4;proto=https,"}}, "4.4.4.4 https"},
      {{{"Forwarded", "for=4.4.4.4;proto=https"}, {"Forwarded", ""}}, "4.4.4.4 https"},
      {{{"X-Forwarded-For", "4.4.4.4"}, {"X-Real-IP", "4.4.4.4"}, {"X-Scheme", "https"}}, "127.0.0.1 http"},
  };
  check(proxies, cases);
}

TEST_CASE("a Forwarded field of a limit-sized head takes linear time", "[proxy_headers]") {
  const ProxyHeaders proxies({.trusted_downstream = {Network("10.0.0.0/8")}, .address_field = "Forwarded"});
  for (const char* piece : {"for=10.0.0.1,", "\"", "\\", "\",", "for=\"\\\"\","}) {
    std::string value;
    while (value.size() < 64'000) value += piece;
    CAPTURE(piece);
    const auto begin = std::chrono::steady_clock::now();
    client_of(proxies, {{"Forwarded", value.c_str()}});
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(500));
  }
}

void who(Exchange& exchange, Task<>&) {
  exchange.finish(fmt::format("{} {}", exchange.request().remote_ip(), exchange.request().protocol()));
}

std::string ask(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", headers);
}

TEST_CASE("fields of an untrusted peer are ignored, and a request's fields do not affect the next (HSV-24)",
          "[proxy_headers]") {
  HTTPFixture::Options options;
  options.xheaders = true;
  HTTPFixture fixture(who, options);
  testing::RawPeer peer = fixture.connect();
  peer.send(ask("X-Real-Ip: 4.4.4.4\r\nX-Scheme: https\r\n"));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n\r\n4.4.4.4 https"));
  peer.send(ask(""));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n\r\n127.0.0.1 http"));
  options.trusted_peers = {Network("10.0.0.0/8")};
  HTTPFixture wary(who, options);
  CHECK(wary.talk(ask("X-Real-Ip: 4.4.4.4\r\nX-Scheme: https\r\nConnection: close\r\n"))
            .ends_with("\r\n\r\n127.0.0.1 http"));
  options.trusted_peers.emplace_back("127.0.0.0/8");
  HTTPFixture behind(who, options);
  CHECK(behind.talk(ask("X-Real-Ip: 4.4.4.4\r\nX-Scheme: https\r\nConnection: close\r\n"))
            .ends_with("\r\n\r\n4.4.4.4 https"));
  HTTPFixture plain(who);
  CHECK(plain.talk(ask("X-Real-Ip: 4.4.4.4\r\nX-Scheme: https\r\nConnection: close\r\n"))
            .ends_with("\r\n\r\n127.0.0.1 http"));
}

TEST_CASE("a server reads the fields that its options name, and refuses names without xheaders",
          "[proxy_headers]") {
  HTTPFixture::Options options;
  options.xheaders = true;
  options.address_field = "Forwarded";
  HTTPFixture fixture(who, options);
  CHECK(fixture.talk(ask("Forwarded: for=4.4.4.4;proto=https\r\nX-Real-Ip: 6.6.6.6\r\nConnection: close\r\n"))
            .ends_with("\r\n\r\n4.4.4.4 https"));
  options.xheaders = false;
  CHECK_THROWS_AS(HTTPFixture(who, options), std::invalid_argument);
  options.address_field.clear();
  options.protocol_field = "X-Scheme";
  CHECK_THROWS_AS(HTTPFixture(who, options), std::invalid_argument);
}

TEST_CASE("the server's options can set the protocol (HSV-04, HSV-21)", "[proxy_headers]") {
  HTTPFixture::Options options;
  options.protocol = HTTPFixture::Options::Protocol::https;
  HTTPFixture fixture(who, options);
  CHECK(fixture.talk(ask("X-Scheme: http\r\nConnection: close\r\n")).ends_with("\r\n\r\n127.0.0.1 https"));
}

}  // namespace
}  // namespace squall::http::proxy_headers_test
