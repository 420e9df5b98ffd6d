#include <squall/web/security/cookie_secrets.h>

#include <map>
#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::web::cookie_secrets_test {
namespace {

TEST_CASE("one secret is that of every key version (WEB-92)", "[cookie_secrets]") {
  const CookieSecrets secrets = "s3cr3t";
  CHECK_FALSE(secrets.empty());
  CHECK_FALSE(secrets.has_key_versions());
  REQUIRE(secrets.find(0));
  CHECK(*secrets.find(0) == "s3cr3t");
  CHECK(secrets.find(7) == secrets.find(0));
}

TEST_CASE("several secrets are found by their key versions (WEB-92)", "[cookie_secrets]") {
  const CookieSecrets secrets = {{0, "zero-key"}, {3, "three-key"}};
  CHECK(secrets.has_key_versions());
  REQUIRE(secrets.find(3));
  CHECK(*secrets.find(3) == "three-key");
  CHECK_FALSE(secrets.find(1));
  CHECK(CookieSecrets(std::map<int, std::string>{{1, "one"}}).find(1));
  CHECK_FALSE(CookieSecrets({{1, "one"}}).find(0));
}

TEST_CASE("without secrets none is found", "[cookie_secrets]") {
  const CookieSecrets secrets;
  CHECK(secrets.empty());
  CHECK_FALSE(secrets.find(0));
  CHECK(CookieSecrets(std::map<int, std::string>{}).empty());
}

TEST_CASE("empty secrets and negative key versions are refused", "[cookie_secrets]") {
  CHECK_THROWS_AS(CookieSecrets(""), std::invalid_argument);
  CHECK_THROWS_AS(CookieSecrets({{1, "one"}, {2, ""}}), std::invalid_argument);
  CHECK_THROWS_AS(CookieSecrets({{-1, "one"}}), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::cookie_secrets_test
