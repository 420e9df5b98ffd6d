#include <squall/web/auth/oauth1_signature.h>

#include <squall/http/message/url.h>

#include <string>

#include "support/catch.h"

namespace squall::web::oauth1_signature_test {
namespace {

using http::QueryArguments;

TEST_CASE("the signatures of RFC 5849 (1.2)", "[oauth1_signature]") {
  const QueryArguments access = {{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
                                 {"oauth_token", "hh5s93j4hdidpola"},
                                 {"oauth_signature_method", "HMAC-SHA1"},
                                 {"oauth_timestamp", "137131201"},
                                 {"oauth_nonce", "walatlh"},
                                 {"oauth_verifier", "hfdp7dh39dks9884"}};
  CHECK(oauth1_signature("POST", "https://photos.example.net/token", access, "kd94hf93k423kf44",
                         "hdhd0244k9j7ao03") == "gKgrFCywp7rO0OXSjdot/IHF7IU=");
  const QueryArguments photo = {{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
                                {"oauth_token", "nnch734d00sl2jdk"},
                                {"oauth_signature_method", "HMAC-SHA1"},
                                {"oauth_timestamp", "137131202"},
                                {"oauth_nonce", "chapoH"},
                                {"file", "vacation.jpg"},
                                {"size", "original"}};
  CHECK(oauth1_signature("GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", photo,
                         "kd94hf93k423kf44", "pfkkdhi9sl3r4s00") == "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

TEST_CASE("the signatures of Tornado, of both versions (AUT-13)", "[oauth1_signature]") {
  QueryArguments parameters = {{"oauth_consumer_key", "asdf"},    {"oauth_signature_method", "HMAC-SHA1"},
                               {"oauth_timestamp", "1700000000"}, {"oauth_nonce", "abc123"},
                               {"oauth_version", "1.0"},          {"oauth_callback", "http://h/cb"}};
  const char* const url = "HTTP://Example.com/oauth/request_token?x=1";
  CHECK(oauth1_signature("GET", url, parameters, "qw er", "") == "5XbFoXXvgGk2yI9OBHTB/zGnl5I=");
  CHECK(oauth1_signature("GET", url, parameters, "qw er", "", OAuth1Version::v1_0) ==
        "vc+8M017U2jRYZ27hb7lfm4Fmyc=");
  parameters.emplace_back("foo", "b ar");
  CHECK(oauth1_signature("POST", "http://example.com/r", parameters, "qw er", "5678") ==
        "gdyIR63m+eCCiylWtnqT3J5IkDU=");
}

TEST_CASE("the order of the parameters does not change the signature (RFC 5849, 3.4.1.3.2)",
          "[oauth1_signature]") {
  const auto sign = [](const QueryArguments& parameters) {
    return oauth1_signature("GET", "http://example.com:80/r", parameters, "a", "b");
  };
  CHECK(sign({{"a", "2"}, {"a", "1"}, {"a b", ""}}) == sign({{"a b", ""}, {"a", "1"}, {"a", "2"}}));
  CHECK(sign({{"a", "1"}}) == oauth1_signature("GET", "HTTP://EXAMPLE.com/r", {{"a", "1"}}, "a", "b"));
  CHECK(sign({{"a", "1"}}) != sign({{"a", "2"}}));
  CHECK_THROWS_AS(oauth1_signature("GET", "no url", {}, "a", "b"), http::URLError);
}

TEST_CASE("escaping keeps letters, digits and -._~ alone (AUT-13)", "[oauth1_signature]") {
  CHECK(oauth1_escape("aZ09-._~") == "aZ09-._~");
  CHECK(oauth1_escape(" +/=\xC3\xA4&") == "%20%2B%2F%3D%C3%A4%26");
}

}  // namespace
}  // namespace squall::web::oauth1_signature_test
