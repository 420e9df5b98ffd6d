#include <squall/websocket/connection/origin.h>

#include "support/catch.h"

namespace squall::websocket::origin_test {
namespace {

TEST_CASE("an origin is the same with the host and port of the request, in any case (WSK-10)", "[origin]") {
  CHECK(is_same_origin("http://h.example:80", "h.example:80"));
  CHECK(is_same_origin("HTTP://H.EXAMPLE:80", "h.example:80"));
  CHECK(is_same_origin("https://h.example", "H.Example"));
  CHECK(is_same_origin("http://[::1]:8888", "[::1]:8888"));
  CHECK(is_same_origin("http://h.example/path?a#b", "h.example"));
}

TEST_CASE("an origin of another host or port, or without a host, is not the same", "[origin]") {
  CHECK_FALSE(is_same_origin("http://h.example", "h.example:80"));
  CHECK_FALSE(is_same_origin("http://h.example:81", "h.example:80"));
  CHECK_FALSE(is_same_origin("http://evil.example", "h.example"));
  CHECK_FALSE(is_same_origin("http://h.example.evil.example", "h.example"));
  CHECK_FALSE(is_same_origin("http://evil.example/http://h.example", "h.example"));
  CHECK_FALSE(is_same_origin("http://evil.example?://h.example", "h.example"));
  CHECK_FALSE(is_same_origin("http://h.example@evil.example", "h.example"));
  CHECK_FALSE(is_same_origin("null", "h.example"));
  CHECK_FALSE(is_same_origin("", "h.example"));
  CHECK_FALSE(is_same_origin("null", ""));
  CHECK_FALSE(is_same_origin("http://", ""));
}

}  // namespace
}  // namespace squall::websocket::origin_test
