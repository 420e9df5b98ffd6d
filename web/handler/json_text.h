#pragma once

#include <concepts>
#include <string>
#include <utility>

namespace squall::web {

// The JSON text of a value, for RequestHandler::write_json().
//
// Values of nlohmann::json, and of other types with such a dump(), need no hook. For a type of yours, or of
// another JSON library, declare this function in the namespace of the type:
//
//     void to_json_text(squall::web::JsonText& out, const Note& note) {
//       out.text = fmt::format(R"({{"id": {}}})", note.id);
//     }
struct JsonText {
  std::string text;
};

template <class T>
requires requires(const T& value) {
  { value.dump() } -> std::convertible_to<std::string>;
}
void to_json_text(JsonText& out, const T& value) {
  out.text = value.dump();
}

// Replaces `</` by `<\/`, which has the same meaning (SEC-36): Tornado's escape for JSON responses. JSON
// inside of a `<script>` element needs escape_json_for_script(). Throws std::invalid_argument for an array,
// which another site could read as a script in old browsers.
void make_json_safe(std::string& json);

// The JSON text of `value`, with make_json_safe().
template <class T>
std::string json_text_of(const T& value) {
  static_assert(
      requires(JsonText& out) { to_json_text(out, value); },
      "write_json() takes a type with dump(), such as nlohmann::json, or with a function "
      "to_json_text(squall::web::JsonText&, const T&) in its namespace");
  JsonText out;
  to_json_text(out, value);
  make_json_safe(out.text);
  return std::move(out.text);
}

}  // namespace squall::web
