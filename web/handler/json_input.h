#pragma once

#include <squall/http/server/request.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/settings.h>

#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::web {

// The JSON text of a request's body, for RequestInput::json_body(). It is UTF-8 and nested at most
// Settings::max_json_depth deep, and not otherwise checked.
//
// Types with a static parse(), such as nlohmann::json, need no hook. For a type of yours, or of another JSON
// library, declare this function in the namespace of the type:
//
//     void from_json_text(const squall::web::JsonInput& in, Note& note);
//
// It throws a JsonError, or any other std::exception, for a text that is not such a value: a 400.
struct JsonInput {
  std::string_view text;
};

// A JSON text is malformed, at that byte if known, or it is not the value that a hook expects.
class JsonError : public std::runtime_error {
 public:
  explicit JsonError(const std::string& message, std::optional<std::size_t> offset = std::nullopt)
      : std::runtime_error(message), offset_(offset) {}
  std::optional<std::size_t> offset() const noexcept { return offset_; }

 private:
  std::optional<std::size_t> offset_;
};

template <class T>
requires requires(std::string_view text) {
  { T::parse(text) } -> std::convertible_to<T>;
}
void from_json_text(const JsonInput& in, T& value) {
  if constexpr (requires(const typename T::parse_error& error) { error.byte; }) {
    try {
      value = T::parse(in.text);
    } catch (const typename T::parse_error& error) {
      // nlohmann counts bytes from 1.
      throw JsonError(error.what(), error.byte > 0 ? error.byte - 1 : 0);
    }
  } else {
    value = T::parse(in.text);
  }
}

namespace detail {

// The body's JSON text. Throws HTTPError 415 for another Content-Type or a Content-Encoding, 413 for more
// bytes than Settings::max_json_size, 400 for an empty body, bytes that are not UTF-8, and too deep nesting.
JsonInput json_input(const http::ServerRequest& request, const Settings& settings);

// Calls `convert`, and throws HTTPError 400 in place of its exceptions. The message names line and column.
[[noreturn]] void refuse_json(const JsonInput& in, const std::exception& error);
template <class Convert>
auto convert_json(const JsonInput& in, Convert convert) {
  try {
    return convert();
  } catch (const HTTPError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    refuse_json(in, error);
  }
}

template <class T>
T parse_json(const JsonInput& in) {
  static_assert(
      requires(T& value) { from_json_text(in, value); },
      "json_body() takes a type with a static parse(), such as nlohmann::json, or with a function "
      "from_json_text(const squall::web::JsonInput&, T&) in its namespace");
  T value{};
  from_json_text(in, value);
  return value;
}

}  // namespace detail
}  // namespace squall::web
