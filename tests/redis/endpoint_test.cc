#include <squall/redis/endpoint.h>

#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::redis::endpoint_test {
namespace {

std::string refusal(const std::string& url) {
  try {
    parse_url(url);
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    const std::size_t end = text.find("; the form is redis://");
    REQUIRE(text.starts_with("URL of a Redis server: "));
    REQUIRE(end != std::string::npos);
    return text.substr(23, end - 23);
  }
  return "accepted";
}

TEST_CASE("a URL names host, port, login and database", "[endpoint]") {
  CHECK(parse_url("redis://example.test") == Endpoint{.host = "example.test"});
  CHECK(parse_url("redis://example.test/") == Endpoint{.host = "example.test"});
  CHECK(parse_url("redis://10.0.0.1:7000/3") == Endpoint{.host = "10.0.0.1", .port = 7000, .database = 3});
  CHECK(parse_url("redis://h?db=4") == Endpoint{.host = "h", .database = 4});
  CHECK(parse_url("redis://:secret@h") == Endpoint{.host = "h", .password = "secret"});
  CHECK(parse_url("rediss://ann:s%3Ae%40c@h:1/2") ==
        Endpoint{.host = "h", .port = 1, .is_tls = true, .user = "ann", .password = "s:e@c", .database = 2});
  CHECK(parse_url("redis://u:p@ss@h").password == "p@ss");
  CHECK(parse_url("redis://[::1]:6380/1") == Endpoint{.host = "::1", .port = 6380, .database = 1});
  CHECK(parse_url("redis://[fe80::1]") == Endpoint{.host = "fe80::1"});
}

TEST_CASE("a URL names a Unix socket", "[endpoint]") {
  CHECK(parse_url("unix:///run/redis.sock") == Endpoint{.unix_path = "/run/redis.sock"});
  CHECK(parse_url("unix://u:p@/run/a%20b?db=2") ==
        Endpoint{.unix_path = "/run/a b", .user = "u", .password = "p", .database = 2});
}

TEST_CASE("a malformed URL is refused with its fault", "[endpoint]") {
  CHECK(refusal("example.test") == "it does not begin with redis://, rediss:// or unix://");
  CHECK(refusal("http://h") == "it does not begin with redis://, rediss:// or unix://");
  CHECK(refusal("redis://") == "the host is missing");
  CHECK(refusal("redis://:6379") == "the host is missing");
  CHECK(refusal("redis://h:0") == "\"0\" is not a port");
  CHECK(refusal("redis://h:65536") == "\"65536\" is not a port");
  CHECK(refusal("redis://h:6379x") == "\"6379x\" is not a port");
  CHECK(refusal("redis://h:") == "\"\" is not a port");
  CHECK(refusal("redis://h/abc") == "the database \"abc\" is not a number");
  CHECK(refusal("redis://h/1/2") == "the database \"1/2\" is not a number");
  CHECK(refusal("redis://h?db=") == "the database \"\" is not a number");
  CHECK(refusal("redis://h?timeout=5") == "the parameter \"timeout\" is unknown");
  CHECK(refusal("redis://h?db") == "the parameter \"db\" is unknown");
  CHECK(refusal("redis://secret@h") == "a user without a password: use user:password@, or :password@");
  CHECK(refusal("redis://user:@h") == "the password is empty");
  CHECK(refusal("redis://h%2") == "a % without two hexadecimal digits behind it");
  CHECK(refusal("redis://h%zz") == "a % without two hexadecimal digits behind it");
  CHECK(refusal("redis://[::1") == "an IPv6 address without its ]");
  CHECK(refusal("redis://[::1]6379") == "bytes between ] and the port");
  CHECK(refusal("redis://h#1") == "a # that is not percent-encoded");
  CHECK(refusal("unix://host/path") == "unix:// has no host: the path begins with a third /");
  CHECK(refusal("unix://") == "the path of the Unix socket is missing");
}

TEST_CASE("no message shows a password", "[endpoint]") {
  for (const char* url : {"redis://u:hunter2@", "redis://u:hunter2@h:x", "redis://u:hunter2@h/x"})
    CHECK(refusal(url).find("hunter2") == std::string::npos);
  for (const char* url : {"redis://u:hunt/er2@h", "redis://u:hunt?er2@h", "rediss://u:1/hunter2@h/3",
                          "redis://u:1?hunter2@h", "unix://u:hunt/er2@/run/r", "unix://u:hunt?er2@/run/r"})
    CHECK(refusal(url).find("hunt") == std::string::npos);
  CHECK(refusal("redis://u:hunt/er2@h") ==
        "an @ behind the host: write / and ? in a user or password as %2F and %3F");
  CHECK(parse_url("redis://u:hunt%2Fer%3F@h").password == "hunt/er?");
  const std::string shown = to_string(parse_url("rediss://u:hunter2@h:7/3"));
  CHECK(shown == "rediss://h:7/3");
  CHECK(to_string(parse_url("unix://u:p@/run/r?db=1")) == "unix:///run/r?db=1");
  CHECK(to_string(parse_url("redis://[::1]")) == "redis://[::1]:6379");
}

}  // namespace
}  // namespace squall::redis::endpoint_test
