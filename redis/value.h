#pragma once

#include <squall/redis/errors.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// Replies of Redis, in RESP2 and RESP3 (redis.io/docs/reference/protocol-spec).
namespace squall::redis {

struct Value;

struct Nil {
  bool operator==(const Nil&) const = default;
};
// An error reply: a common result, which is not thrown unless Value::as() asks for another type.
struct Error {
  std::string text{};  // `WRONGTYPE Operation against a key ...`

  // The first word of the text: `WRONGTYPE`.
  std::string_view code() const noexcept { return error_code_of(text); }
  bool operator==(const Error&) const = default;
};
struct BigNumber {
  std::string digits{};
  bool operator==(const BigNumber&) const = default;
};
struct Array {
  std::vector<Value> items;
  bool operator==(const Array& other) const;
};
struct Set {
  std::vector<Value> items;
  bool operator==(const Set& other) const;
};
struct Map {
  std::vector<std::pair<Value, Value>> items;  // in the server's order
  bool operator==(const Map& other) const;
};

// One reply, or an item of one. RESP2 has only Nil, strings, integers, errors and arrays.
struct Value {
  std::variant<Nil, std::string, std::int64_t, double, bool, Error, BigNumber, Array, Set, Map> data;

  template <class T>
  bool is() const noexcept {
    return std::holds_alternative<T>(data);
  }
  // The alternative T, or null.
  template <class T>
  const T* get() const noexcept {
    return std::get_if<T>(&data);
  }
  // The alternative T. Throws ReplyError, with the server's text, if the value is an Error; TypeError if it
  // has another type.
  template <class T>
  const T& as() const& {
    if (const T* const value = get<T>()) return *value;
    refuse(Value{T()}.type_name());
  }
  template <class T>
  T as() && {
    if (T* const value = std::get_if<T>(&data)) return std::move(*value);
    refuse(Value{T()}.type_name());
  }

  // `a string`, `an array`.
  std::string_view type_name() const noexcept;
  bool operator==(const Value&) const;

 private:
  [[noreturn]] void refuse(std::string_view wanted) const;
};

// The text that redis-cli shows. Lines after the first one are indented by `indent` spaces.
std::string to_string(const Value& value, std::size_t indent = 0);

}  // namespace squall::redis
