#include <squall/web/handler/json_input.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "support/web_fixture.h"

#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif

// A type of an application.
namespace squall::web::json_input_test {

struct Note {
  std::string text;
};

void from_json_text(const JsonInput& in, Note& note) {
  if (in.text == "\"error\"") throw std::runtime_error("not a note");
  if (in.text == "\"http\"") throw HTTPError(422, "never a note");
  const std::size_t bad = in.text.find('!');
  if (bad != in.text.npos) throw JsonError("an exclamation mark", bad);
  note.text = in.text;
}

// As nlohmann::json, with the parts that json_body() uses.
struct OtherJson {
  struct parse_error : std::runtime_error {
    explicit parse_error(std::size_t where) : std::runtime_error("question mark"), byte(where) {}
    std::size_t byte;
  };

  static OtherJson parse(std::string_view text) {
    const std::size_t bad = text.find('?');
    if (bad != text.npos) throw parse_error(bad + 1);
    return {std::string(text)};
  }
  template <class T>
  T get() const {
    if (text == "[]") throw std::invalid_argument("an empty list");
    return static_cast<T>(text.size());
  }

  std::string text;
};

namespace {

using testing::WebFixture;

class NoteHandler : public RequestHandler {
 public:
  void post() { write(json_body<Note>().text); }
  void put() { write(json_body<OtherJson>().text); }
  void patch() { write(fmt::to_string(json_body<int, OtherJson>())); }
};

const std::string kJson = "Content-Type: application/json\r\n";

TEST_CASE("json_body() converts the body by a function of the type, or by its parse()", "[json_input]") {
  WebFixture web({url<NoteHandler>("/")});
  CHECK(web.brief("POST", "/", kJson, "{}") == "200 {}");
  CHECK(web.brief("PUT", "/", kJson, "[1]") == "200 [1]");
  CHECK(web.brief("PATCH", "/", kJson, "[1, 2]") == "200 6");
  for (const std::string type :
       {"Application/JSON", "application/json; charset=UTF-8", "application/problem+json", "text/x+json"})
    CHECK(web.brief("POST", "/", "Content-Type: " + type + "\r\n", "1") == "200 1");
}

TEST_CASE("JSON errors are 400, with the line and the column", "[json_input]") {
  WebFixture web({url<NoteHandler>("/")});
  const auto refused = [&](std::string_view method, std::string_view body, const std::string& message) {
    CHECK(web.brief(method, "/", kJson, body).starts_with("400 "));
    web.loop.log.expect(fmt::format("400 {} / (127.0.0.1): Invalid JSON{}", method, message));
    web.loop.log.expect("400 ");
  };
  refused("POST", "!", " in line 1, column 1 (byte 0): an exclamation mark");
  refused("POST", "[1,\n 2,\n  !]", " in line 3, column 3 (byte 10): an exclamation mark");
  refused("POST", "\"error\"", ": not a note");
  refused("PUT", "[\n?]", " in line 2, column 1 (byte 2): question mark");
  refused("PATCH", "[]", ": an empty list");
  refused("PATCH", "?", " in line 1, column 1 (byte 0): question mark");
  refused("POST", "", ": the body is empty");
  refused("POST", "\"\xff\"", ": not UTF-8");
  CHECK(web.brief("POST", "/", kJson, "\"http\"").starts_with("422 "));
  web.loop.log.expect("422 POST / (127.0.0.1): never a note");
  web.loop.log.expect("422 ");
}

TEST_CASE("another type than JSON is 415, so that other sites cannot send it without CORS", "[json_input]") {
  WebFixture web({url<NoteHandler>("/")});
  const auto refused = [&](const std::string& headers, const std::string& message) {
    CHECK(web.brief("POST", "/", headers, "1").starts_with("415 "));
    web.loop.log.expect("415 POST / (127.0.0.1): " + message);
    web.loop.log.expect("415 ");
  };
  refused("", "Content-Type '' is not JSON: expected application/json");
  for (const std::string type :
       {"text/plain", "application/x-www-form-urlencoded", "application/jsonp", "+json"})
    refused("Content-Type: " + type + "\r\n", fmt::format("Content-Type '{}' is not JSON", type));
  refused("Content-Type: application/json; charset=latin1\r\n", "JSON is UTF-8");
  refused(kJson + "Content-Encoding: gzip\r\n", "Unsupported Content-Encoding: gzip");
}

TEST_CASE("the size and the depth of JSON are limited", "[json_input]") {
  WebFixture web({url<NoteHandler>("/")}, {.max_json_size = 20, .max_json_depth = 3});
  CHECK(web.brief("POST", "/", kJson, "[[[]],[{}],[[]]]") == "200 [[[]],[{}],[[]]]");
  CHECK(web.brief("POST", "/", kJson, R"(["[[[\"[[", "]"])") == R"(200 ["[[[\"[[", "]"])");
  CHECK(web.brief("POST", "/", kJson, "[[{[").starts_with("400 "));
  web.loop.log.expect("Invalid JSON in line 1, column 4 (byte 3): nested deeper than 3");
  web.loop.log.expect("400 ");
  CHECK(web.brief("POST", "/", kJson, std::string(21, ' ')).starts_with("413 "));
  web.loop.log.expect("JSON of 21 bytes: Settings::max_json_size is 20");
  web.loop.log.expect("413 ");
}

#if __has_include(<nlohmann/json.hpp>)
class NlohmannHandler : public RequestHandler {
 public:
  void post() { write(json_body<nlohmann::json>().dump()); }
  void put() { write(fmt::format("{}", fmt::join(json_body<std::vector<int>, nlohmann::json>(), "+"))); }
};

TEST_CASE("json_body() takes nlohmann::json, and types that are made from it", "[json_input]") {
  WebFixture web({url<NlohmannHandler>("/")});
  CHECK(web.brief("POST", "/", kJson, R"({"a": [1, 2.5, null]})") == R"(200 {"a":[1,2.5,null]})");
  CHECK(web.brief("PUT", "/", kJson, "[1, 2]") == "200 1+2");
  CHECK(web.brief("POST", "/", kJson, "[1,\n x]").starts_with("400 "));
  web.loop.log.expect("Invalid JSON in line 2, column 2 (byte 5): ");
  web.loop.log.expect("400 ");
  CHECK(web.brief("PUT", "/", kJson, "[\"a\"]").starts_with("400 "));
  web.loop.log.expect("type must be number, but is string");
  web.loop.log.expect("400 ");
}
#endif

}  // namespace
}  // namespace squall::web::json_input_test
