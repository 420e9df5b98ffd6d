#include <squall/http/server/proxy_headers.h>

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::proxy_headers_test {
namespace {

using testing::HTTPFixture;

struct Case {
  std::vector<std::pair<const char*, const char*>> headers;
  std::string expected;
};

TEST_CASE("the client is whom the proxies' fields name, read from the right (HSV-22, HSV-23, SEC-55)",
          "[proxy_headers]") {
  const ProxyHeaders proxies({}, {Network("5.5.5.5"), Network("10.0.0.0/8")});
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
      {{{"X-Forwarded-For", "4.4.4.4:80"}}, "127.0.0.1 http"},
      {{{"X-Forwarded-For", "4.4.4.4,"}}, "127.0.0.1 http"},
      {{{"X-Forwarded-Proto", "http, https"}}, "127.0.0.1 https"},
      {{{"X-Forwarded-Proto", "HTTPS"}}, "127.0.0.1 http"},
      {{{"X-Scheme", "https"}, {"X-Forwarded-Proto", "http"}}, "127.0.0.1 https"},
  };
  for (const Case& c : cases) {
    Headers headers;
    for (const auto& [name, value] : c.headers) headers.add(name, value);
    CAPTURE(headers.text());
    const ProxyHeaders::Client client = proxies.client_of(*Address::parse_ip("127.0.0.1"), false, headers);
    CHECK(fmt::format("{} {}", client.address.ip(), client.secure ? "https" : "http") == c.expected);
  }
}

void who(Exchange& exchange, Task<>&) {
  exchange.finish(fmt::format("{} {}", exchange.request().remote_ip(), exchange.request().protocol()));
}

std::string ask(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", headers);
}

TEST_CASE("fields of whom is not trusted are left alone, and each request begins anew (HSV-24)",
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

TEST_CASE("the protocol can be said by the server's options (HSV-04, HSV-21)", "[proxy_headers]") {
  HTTPFixture::Options options;
  options.protocol = HTTPFixture::Options::Protocol::https;
  HTTPFixture fixture(who, options);
  CHECK(fixture.talk(ask("X-Scheme: http\r\nConnection: close\r\n")).ends_with("\r\n\r\n127.0.0.1 https"));
}

}  // namespace
}  // namespace squall::http::proxy_headers_test
