#include <squall/web/escape/json_script.h>

#include "support/catch.h"

namespace squall::web::json_script_test {
namespace {

TEST_CASE("JSON for a script has no </ (ESC-03, SEC-36)", "[json_script]") {
  CHECK(escape_json_for_script(R"({"a": "</script>", "b": [1, 2.5, null, true]})") ==
        R"({"a": "<\/script>", "b": [1, 2.5, null, true]})");
  CHECK(escape_json_for_script("\"</</<\"") == "\"<\\/<\\/<\"");
  CHECK(escape_json_for_script(R"("<\/a")") == R"("<\/a")");
  CHECK(escape_json_for_script("\"<<//\"") == "\"<<\\//\"");
}

TEST_CASE("JSON for a script opens no comment and no other script (HTML, 4.12.1.3)", "[json_script]") {
  CHECK(escape_json_for_script(R"(["<!--", "<script", "<ScRiPt>"])") ==
        R"(["\u003c!--", "\u003cscript", "\u003cScRiPt>"])");
  CHECK(escape_json_for_script(R"(["<!-", "<scrip", "a<b", "<<script"])") ==
        R"(["<!-", "<scrip", "a<b", "<\u003cscript"])");
}

TEST_CASE("JSON without angle brackets is unchanged", "[json_script]") {
  for (const char* json : {"", "1", R"({"a": "b/c\/d>"})", "\"\xC3\xA9\""})
    CHECK(escape_json_for_script(json) == json);
}

}  // namespace
}  // namespace squall::web::json_script_test
