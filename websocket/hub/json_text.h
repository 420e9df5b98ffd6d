#pragma once

#include <string>
#include <string_view>

// JSON texts (RFC 8259), without a value of them.
//
// Thread:    any.
namespace squall::websocket {

// The text as a JSON string, with quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// Whether `text` is one JSON value, however deep. Takes one byte for each level.
bool is_json(std::string_view text);

}  // namespace squall::websocket
