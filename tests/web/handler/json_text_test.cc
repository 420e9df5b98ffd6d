#include <squall/web/handler/json_text.h>

#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif

#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "support/web_fixture.h"

// A library of JSON, and a type of an application, in namespaces of their own.
namespace jotting {

struct Document {
  std::string text;
  std::string dump() const { return text; }
};

struct Note {
  int id;
};
void to_json_text(squall::web::JsonText& out, const Note& note) {
  out.text = fmt::format(R"({{"id": {}}})", note.id);
}

}  // namespace jotting

namespace squall::web::json_text_test {
namespace {

using testing::WebFixture;

TEST_CASE("a type with dump(), and a type with a function of its namespace, have a JSON text",
          "[json_text]") {
  CHECK(json_text_of(jotting::Document{R"({"a": 1})"}) == R"({"a": 1})");
  CHECK(json_text_of(jotting::Note{7}) == R"({"id": 7})");
}

#if __has_include(<nlohmann/json.hpp>)
TEST_CASE("values of nlohmann::json have a JSON text", "[json_text]") {
  CHECK(json_text_of(nlohmann::json{{"a", {1, 2}}, {"b", "</x>"}}) == R"({"a":[1,2],"b":"<\/x>"})");
  CHECK_THROWS_AS(json_text_of(nlohmann::json::array({1, 2})), std::invalid_argument);
}
#endif

TEST_CASE("JSON never contains `</` (SEC-36)", "[json_text]") {
  const auto safe = [](std::string text) { return json_text_of(jotting::Document{std::move(text)}); };
  CHECK(safe(R"({"a": "</script></b><"})") == R"({"a": "<\/script><\/b><"})");
  CHECK(safe("\"</") == "\"<\\/");
  CHECK(safe("\"<</</\"") == "\"<<\\/<\\/\"");
  CHECK(safe("7") == "7");
  CHECK(safe("").empty());
}

TEST_CASE("an array is not written as the whole of a response (SEC-36)", "[json_text]") {
  for (const char* array : {"[]", " \n[1]", "[[]]"})
    CHECK_THROWS_AS(json_text_of(jotting::Document{array}), std::invalid_argument);
}

class JsonHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "note") write_json(jotting::Note{3});
    if (what == "list") write_json(jotting::Document{"[1]"});
    if (what == "typed") {
      write_json(jotting::Note{3});
      set_header("Content-Type", "application/vnd.note+json");
    }
  }
};

TEST_CASE("write_json() sets the type, which may be changed behind it (WEB-43)", "[json_text]") {
  WebFixture web({url<JsonHandler>("/(.*)")});
  CHECK(web.fetch("GET", "/note") ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Type: application/json; charset=UTF-8\r\n"
        "Content-Length: 9\r\nConnection: close\r\n\r\n{\"id\": 3}");
  CHECK(web.fetch("GET", "/typed").find("\r\nContent-Type: application/vnd.note+json\r\n") !=
        std::string::npos);
  CHECK(web.brief("GET", "/list").starts_with("500 "));
  web.loop.log.expect("write_json() takes no array");
  web.loop.log.expect("500 GET /list");
}

}  // namespace
}  // namespace squall::web::json_text_test
